import { Socket } from 'node:net';
import { parseJson } from '../documents/canonical.js';
import { type DirectAccount, parseDirectKeys } from '../documents/job/direct-account.js';
import type { JointDescription } from '../documents/job/joint-description.js';
import { ToolkitError, toToolkitError } from '../errors/toolkit-error.js';
import type { Channel } from '../privacy/channel.js';
import { reasonForPeers } from '../privacy/party.js';
import { stallBounds } from '../privacy/regression/joint-session.js';
import { streamChannel } from '../privacy/stream-channel.js';
import { openDirectChannel } from './direct-channel.js';

/** Longest wait for a helper; the other bounds follow from it. */
const BASE_STALL_MS = 60_000;

export interface OpenChannels {
  /** To each peer, by seat. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** Tells the own daemon how it ended; nothing where it sees all messages itself. */
  account(account: DirectAccount): Promise<void>;
}

/**
 * One channel for each peer: over the own daemon, or on a connection of its own.
 * @param environment DT_CHANNELS and DT_SOCKETS: numbers of inherited stream sockets
 * @throws DT_INPUT_INVALID, DT_PEER_*
 */
export async function openChannels(
  joint: JointDescription,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<OpenChannels> {
  const direct = joint.direct ?? [];
  const relayed = joint.peers.filter((peer) => direct.every(({ seat }) => seat !== peer));
  const pipes = numbersOf(environment, 'DT_CHANNELS', relayed.length + (direct.length > 0 ? 1 : 0));
  const sockets = numbersOf(environment, 'DT_SOCKETS', direct.length);
  const channels = new Map(relayed.map((seat, i) => [seat, overDaemon(joint, seat, pipes[i] as number)]));
  if (direct.length === 0) return { channels, account: () => Promise.resolve() };
  const daemon = streamChannel(socketOf('DT_CHANNELS', pipes[relayed.length] as number), {
    peer: 'the own daemon',
    stallMs: BASE_STALL_MS,
  });
  const keys = parseDirectKeys(parseJson(await daemon.receive(), 'The keys of the direct connections'));
  const opened = direct.map(async ({ seat, role }, i) => {
    const at = { peer: nameOfSeat(joint, seat), stallMs: stallMsFor(joint, seat) };
    const channel = await openDirectChannel({ ...at, fd: sockets[i] as number, role, keys, peerKey: keys.peers[seat] ?? '' });
    channels.set(seat, channel);
  });
  const account = async (said: DirectAccount): Promise<void> => {
    await daemon.send(Buffer.from(JSON.stringify(said), 'utf8')).catch(() => undefined);
    await daemon.close();
  };
  try {
    await Promise.all(opened);
  } catch (thrown) {
    const error = toToolkitError(thrown);
    const reason = reasonForPeers(error);
    await account({ kind: 'failure', reason, echo: isEcho(error) });
    // The others may still wait for their peers; this process ends without them.
    for (const promise of opened) promise.catch(() => undefined);
    for (const channel of channels.values()) channel.abort(reason);
    throw error;
  }
  return { channels, account };
}

/** It follows from the end of a peer, and not from what this side has found or done. */
export const isEcho = ({ code }: ToolkitError): boolean => code === 'DT_PEER_GONE' || code === 'DT_PEER_ABORTED';

function numbersOf(environment: Readonly<Record<string, string | undefined>>, name: string, count: number): readonly number[] {
  const text = environment[name] ?? '';
  const numbers = text === '' ? [] : text.split(',');
  if (numbers.length === count && numbers.every((number) => /^[1-9][0-9]{0,5}$/.test(number))) return numbers.map(Number);
  throw new ToolkitError('DT_INPUT_INVALID', { what: name, reason: `it names no ${count} descriptors` });
}

const overDaemon = (joint: JointDescription, peer: string, fd: number): Channel =>
  streamChannel(socketOf('DT_CHANNELS', fd), { peer: nameOfSeat(joint, peer), stallMs: stallMsFor(joint, peer), untilPeerEnds: true });

function socketOf(what: string, fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch {
    throw new ToolkitError('DT_INPUT_INVALID', { what, reason: `descriptor ${fd} is no open stream socket` });
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
