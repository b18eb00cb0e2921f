import { Socket } from 'node:net';
import type { JointDescription } from '../documents/job/joint-description.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from '../privacy/channel.js';
import { stallBounds } from '../privacy/regression/joint-session.js';
import { streamChannel } from '../privacy/stream-channel.js';

/** Longest wait for a helper; the other bounds follow from it. */
const BASE_STALL_MS = 60_000;

/**
 * One channel for each peer, in the order of `peers`.
 * @param descriptors value of DT_CHANNELS: numbers of inherited stream sockets
 * @throws DT_INPUT_INVALID
 */
export function openChannels(joint: JointDescription, descriptors: string): ReadonlyMap<string, Channel> {
  const numbers = descriptors.split(',');
  if (numbers.length !== joint.peers.length || !numbers.every((number) => /^[1-9][0-9]{0,5}$/.test(number)))
    throw invalid(`it names no ${joint.peers.length} descriptors`);
  return new Map(joint.peers.map((seat, i) => [seat, openChannel(joint, seat, Number(numbers[i]))]));
}

function openChannel(joint: JointDescription, peer: string, fd: number): Channel {
  try {
    const socket = new Socket({ fd, readable: true, writable: true });
    return streamChannel(socket, { peer: nameOfSeat(joint, peer), stallMs: stallMsFor(joint, peer) });
  } catch {
    throw invalid(`descriptor ${fd} is no open stream socket`);
  }
}

/** Names are not unique on the chain, seats are. */
export function nameOfSeat(joint: JointDescription, seat: string): string {
  const name = joint.seats.find((entry) => entry.seat === seat)?.name.trim() ?? '';
  return name === '' ? `seat ${seat}` : `${name} (seat ${seat})`;
}

function stallMsFor(joint: JointDescription, peer: string): number {
  const isHelper = (seat: string): boolean => joint.seats.find((entry) => entry.seat === seat)?.inputs.length === 0;
  const bounds = stallBounds(BASE_STALL_MS);
  if (isHelper(joint.seat)) return bounds.dealerForBank;
  return isHelper(peer) ? bounds.bankForDealer : bounds.bankForBank;
}

const invalid = (reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what: 'DT_CHANNELS', reason });
