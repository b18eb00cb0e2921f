import { releaseTermsOf } from '../../documents/ddo/release-terms.js';
import type { TokenId } from '../../documents/ids.js';
import { tokensOf } from '../../documents/job/joint-group.js';
import type { JointPlace, LeafTerms, ResolvedRequest } from './stages.js';

/** What the owner of one token asks for; undefined for a helper's, which is no leaf. */
export function leafTerms({ spec, facts }: Pick<ResolvedRequest, 'spec' | 'facts'>, token: TokenId): LeafTerms | undefined {
  const step = spec.steps.find((candidate) => candidate.token === token);
  const services = facts.ddos.get(token)?.services ?? [];
  const service = services.findIndex(({ index }) => index === step?.service);
  const found = services[service];
  return found && { ...releaseTermsOf(found), token, service };
}

/** Of all leaves whose data is brought together in one job folder here. */
export function termsOfSeat(request: Pick<ResolvedRequest, 'spec' | 'facts'>, token: TokenId, place: Pick<JointPlace, 'seat'> | undefined) {
  const tokens = place === undefined ? [token] : tokensOf(request.spec, place.seat);
  return tokens.map((brought) => leafTerms(request, brought)).filter((terms): terms is LeafTerms => terms !== undefined);
}
