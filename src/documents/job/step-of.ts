import type { Address, TokenId } from '../ids.js';
import type { JobSpec, JobStep } from './job-spec.js';
import { seatOf } from './joint-group.js';

/**
 * What an organization runs for a token: the token's own step. A helper of a joint computation brings no token and runs what the others run,
 * with the arguments that they have in common, for the algorithm as a whole.
 */
export function stepOf(spec: JobSpec, organization: Address, token: TokenId): JobStep | undefined {
  const own = spec.steps.find((candidate) => candidate.token === token);
  const place = seatOf(spec, organization, token);
  if (own !== undefined || place === undefined) return own;
  const shared = spec.steps.find((candidate) => candidate.operator.id === place.group.operator);
  if (shared === undefined) return undefined;
  const { ddo } = spec.algorithm;
  const args = { ...shared.arguments, party_id: Number(place.seat.seat) };
  return { ...shared, token, ddo, owner: place.seat.organization, path: [token], arguments: args };
}
