import type { Channel } from './channel.js';

/** A channel that counts rounds: waits for the peer after something was sent to it. Latency is paid once for each. */
export interface MeteredChannel extends Channel {
  readonly rounds: number;
  /** Time spent on waiting for messages, and on handing messages over. */
  readonly waitMs: number;
  readonly sendMs: number;
}

export function meterRounds(channel: Channel): MeteredChannel {
  let rounds = 0;
  let spoke = false;
  let waitMs = 0;
  let sendMs = 0;
  return {
    get waitMs() {
      return waitMs;
    },
    get sendMs() {
      return sendMs;
    },
    peer: channel.peer,
    get rounds() {
      return rounds;
    },
    get counters() {
      return channel.counters;
    },
    transcript: () => channel.transcript(),
    send(message) {
      spoke = true;
      const start = performance.now();
      const sent = channel.send(message);
      sendMs += performance.now() - start;
      return sent;
    },
    async receive() {
      if (spoke) rounds += 1;
      spoke = false;
      const start = performance.now();
      const message = await channel.receive();
      waitMs += performance.now() - start;
      return message;
    },
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  };
}
