import { composeAsset } from '../src/actions/asset/compose-asset.js';
import { type Party, partiesOf } from '../src/actions/job/job-parties.js';
import type { AssetAttributes } from '../src/documents/ddo/ddo.js';
import type { TokenId } from '../src/documents/ids.js';
import { computeBody } from '../src/documents/job/wire.js';
import { freshEnvelope, signRequest } from '../src/peers/signer.js';
import type { Role } from '../tests/support/world.js';

/** One algorithm over data of one bank, and the third party that runs it. */
export interface Market {
  readonly client: Role;
  readonly task: bigint;
  readonly algorithm: TokenId;
  readonly leaf: TokenId;
}

/** A compute request for a job of its own, signed, ready to be posted. */
export interface SignedJob {
  readonly job: bigint;
  readonly party: Party;
  readonly body: string;
}

export const compose = async (role: Role, attributes: AssetAttributes): Promise<TokenId> =>
  (await composeAsset(role.context, { attributes })).dt;

export async function signJob(market: Market): Promise<SignedJob> {
  const job = await market.client.context.ledger.addJob(market.task, market.algorithm);
  return signAgain(market, job);
}

/** The same job with a fresh nonce. */
export async function signAgain({ client, algorithm, leaf }: Market, job: bigint): Promise<SignedJob> {
  const { parties, specDigest } = await partiesOf(client.context, job);
  const party = parties.find(({ token }) => token === leaf);
  if (party === undefined) throw new Error(`job ${job} does not run on ${leaf}`);
  const request = { type: 'compute', job, algorithm, dataToken: leaf, spec: specDigest, ...freshEnvelope(party.owner) } as const;
  const signature = await signRequest(client.wallet, client.context.ledger.ref, request);
  return { job, party, body: JSON.stringify(computeBody(request, signature)) };
}

export interface Answer {
  readonly status: number;
  readonly body: { readonly id?: string; readonly code?: string; readonly detail?: string; readonly details?: { readonly run?: string } };
}

export async function post({ party, body }: SignedJob): Promise<Answer> {
  const url = new URL('/v1/jobs', party.client.url);
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** The run of a request that has to be accepted. */
export async function submit(signed: SignedJob): Promise<string> {
  const { status, body } = await post(signed);
  if (status !== 202 || body.id === undefined) throw new Error(`job ${signed.job} was answered ${status}: ${body.detail}`);
  return body.id;
}
