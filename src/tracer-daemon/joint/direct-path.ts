import type { Socket } from 'node:net';
import { importsKit } from '../../documents/operator/operator.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import { LinkKey } from '../../peers/link/link-key.js';
import type { DaemonDeps } from '../deps.js';
import type { AuthorizedJob } from '../pipeline/stages.js';
import type { JointPeer } from './joint-peer.js';

/** How long a data connection may take; without it the messages go over the link, at the price of two more processes on their way. */
const CONNECT_MS = 5_000;

/** A data connection that is there, on its way to the operator. */
export interface DirectPath {
  readonly socket: Socket;
  readonly role: 'client' | 'server';
  readonly peerKey: string;
}

/** How this party's operator reaches its peers: by seat, those with a connection of their own; all others over the daemons. */
export interface Paths {
  /** Key pair of this execution. */
  readonly key: LinkKey;
  readonly direct: ReadonlyMap<string, DirectPath>;
}

type DirectDeps = Pick<DaemonDeps, 'links' | 'sandbox' | 'config' | 'log'>;

/**
 * A socket is handed to an operator only where the filter of system calls keeps it from connecting it anywhere else, or where nothing is
 * kept from it anyway; and only to one that uses the kit, which authenticates, encrypts, counts and hashes on it.
 */
function mayGoDirect({ sandbox, config }: Pick<DirectDeps, 'sandbox' | 'config'>, job: AuthorizedJob): boolean {
  const isConfined = sandbox.layers.includes('seccomp') || sandbox.level === 'process';
  return config.link.direct && isConfined && job.step.operator.runtime === 'node' && importsKit(job.code);
}

/**
 * Agrees with every peer of a meeting on how the operators reach each other, and makes the connections.
 * @throws PeerLost, PeerEnded, DT_JOINT_PROTOCOL
 */
export async function openPaths(
  deps: DirectDeps,
  seat: string,
  peers: readonly JointPeer[],
  job: AuthorizedJob,
  signal: AbortSignal,
): Promise<Paths> {
  const key = LinkKey.create();
  const isAble = mayGoDirect(deps, job);
  const direct = new Map<string, DirectPath>();
  let hasFailed = false;
  await Promise.all(
    peers.map(async (peer) => {
      const path = await openPath(deps, key, peer, { isAble, isLower: Number(seat) < Number(peer.seat.seat) }, signal);
      if (path === undefined) return;
      // Nobody waits for the others any more once one has failed.
      if (hasFailed) path.socket.destroy();
      else direct.set(peer.seat.seat, path);
    }),
  ).catch((error: unknown) => {
    hasFailed = true;
    closePaths({ key, direct });
    throw error;
  });
  return { key, direct };
}

/** This process's ends; an operator that has been started keeps its own. */
export function closePaths({ direct }: Paths): void {
  for (const { socket } of direct.values()) socket.destroy();
}

/**
 * The connection to one peer's operator, if both sides want it and it can be made. The side with the lower seat calls, if it can; both
 * learn how it went, so that they take the same way.
 */
async function openPath(
  deps: DirectDeps,
  key: LinkKey,
  peer: JointPeer,
  own: { readonly isAble: boolean; readonly isLower: boolean },
  signal: AbortSignal,
): Promise<DirectPath | undefined> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const expected = own.isAble ? deps.links.expectSocket(peer.organization, 2 * CONNECT_MS, ends) : undefined;
  let path: DirectPath | undefined;
  try {
    await peer.send({ kind: 'offer', ...(own.isAble && { key: key.publicKey.slice(2), ...(expected && { token: expected.token }) }) });
    const theirs = await peer.expect('offer');
    if (!own.isAble || theirs.key === undefined || (theirs.token === undefined && expected === undefined)) return undefined;
    const calls = own.isLower ? theirs.token !== undefined : expected === undefined;
    if (calls) {
      const socket = theirs.token === undefined ? undefined : await call(deps, peer, theirs.token, signal);
      path = socket && { socket, role: 'client', peerKey: theirs.key };
      await peer.send({ kind: 'path', direct: socket !== undefined });
    } else if ((await peer.expect('path')).direct && expected !== undefined) {
      path = { socket: await expected.socket, role: 'server', peerKey: theirs.key };
    }
    return path;
  } catch (error) {
    path?.socket.destroy();
    throw error;
  } finally {
    over.abort();
    // One that the peer makes although it is not wanted.
    expected?.socket.then((socket) => socket !== path?.socket && socket.destroy()).catch(() => undefined);
  }
}

async function call({ links, log }: DirectDeps, peer: JointPeer, token: string, signal: AbortSignal): Promise<Socket | undefined> {
  return links.dialSocket(peer.organization, token, CONNECT_MS, signal).catch((error: unknown) => {
    log.info({ peer: peer.organization, reason: toToolkitError(error).message }, 'no direct data connection');
    return undefined;
  });
}
