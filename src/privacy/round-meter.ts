import type { Channel } from './channel.js';

/** A channel that counts rounds: waits for the peer after something was sent to it. Latency is paid once for each. */
export interface MeteredChannel extends Channel {
  readonly rounds: number;
}

export function meterRounds(channel: Channel): MeteredChannel {
  let rounds = 0;
  let spoke = false;
  return {
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
      return channel.send(message);
    },
    receive() {
      if (spoke) rounds += 1;
      spoke = false;
      return channel.receive();
    },
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  };
}
