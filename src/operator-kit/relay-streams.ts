import type { Duplex } from 'node:stream';
import { FrameCount, type FrameTotals } from './frame-count.js';

/** What went one way: as it was sent, and as it was handed on. */
export interface RelayTotals {
  readonly sent: FrameTotals;
  readonly arrived: FrameTotals;
}

export type Traffic = () => RelayTotals;

/**
 * Joins two processes that cannot reach each other, byte for byte; what ends one side ends the other.
 * @returns what has gone from the first to the second, and back
 */
export function relayStreams(first: Duplex, second: Duplex): readonly [Traffic, Traffic] {
  return [relayOneWay(first, second), relayOneWay(second, first)];
}

function relayOneWay(from: Duplex, to: Duplex): Traffic {
  const sent = new FrameCount();
  const arrived = new FrameCount();
  // A party that says no more may still have much to hear.
  from.allowHalfOpen = true;
  from.on('data', (chunk: Buffer) => {
    sent.push(chunk);
    // Nobody reads there any more: what is left is thrown away, so that its sender can come to its end.
    if (to.destroyed || to.writableEnded) return;
    const hasRoom = to.write(chunk, (error) => {
      if (error === null || error === undefined) arrived.push(chunk);
    });
    if (!hasRoom) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.on('error', () => to.end());
  to.on('close', () => {
    from.resume();
    // Whoever hears no more will not answer either.
    from.end();
  });
  return () => ({ sent: sent.totals(), arrived: arrived.totals() });
}
