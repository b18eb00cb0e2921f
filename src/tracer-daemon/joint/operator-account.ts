import type { Duplex } from 'node:stream';
import { type DirectAccount, type DirectKeys, parseDirectAccount } from '../../documents/job/direct-account.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import { streamChannel } from '../../privacy/stream-channel.js';
import type { Paths } from './direct-path.js';

const LONGEST_BYTES = 64 * 1024;

/** The operator's word about its direct connections: what crossed them, or why it failed. Undefined: it went without one. */
export interface OperatorAccount {
  readonly said: Promise<DirectAccount | undefined>;
}

/** Gives the operator its keys, and hears its account at the end. */
export function openAccount(stream: Duplex, { key, direct }: Paths, stallMs: number): OperatorAccount {
  const channel = streamChannel(stream, { peer: 'the operator', stallMs, maxMessageBytes: LONGEST_BYTES });
  const keys: DirectKeys = {
    ...key.identity,
    peers: Object.fromEntries([...direct].map(([seat, { peerKey }]) => [seat, peerKey])),
  };
  const listen = async (): Promise<DirectAccount | undefined> => {
    try {
      await channel.send(Buffer.from(JSON.stringify(keys), 'utf8'));
      const account: unknown = JSON.parse(Buffer.from(await channel.receive()).toString('utf8'));
      return parseDirectAccount(account, [...direct.keys()]);
    } catch (error) {
      // An operator that says nothing, or nonsense, has failed by itself; its exit code says more.
      return toToolkitError(error).code.startsWith('DT_PEER_') ? undefined : { kind: 'failure', reason: 'it gave no account', echo: false };
    } finally {
      stream.destroy();
    }
  };
  return { said: listen() };
}

/** @throws DT_JOB_OPERATOR_FAILED when the operator ended well and said nothing of what it had sent */
export async function trafficOf({ said }: OperatorAccount): Promise<Extract<DirectAccount, { kind: 'traffic' }>['traffic']> {
  const account = await said;
  if (account?.kind === 'traffic') return account.traffic;
  throw new ToolkitError('DT_JOB_OPERATOR_FAILED', { exit: 'no account of what it had sent', log: account?.reason ?? '(it said nothing)' });
}
