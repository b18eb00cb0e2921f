import type { Address, TokenId } from '../../documents/ids.js';
import { isLiveGrant } from '../../documents/job/job-facts.js';
import type { LedgerEvent } from '../../ledger/ledger.js';
import type { ResolvedRequest } from './stages.js';

/** What has to stay as it is on the chain for as long as anything of a job is here: at every level, not at the leaf alone. */
export interface Obligations {
  /** `child>composite` of every grant of the tree. */
  readonly grants: ReadonlySet<string>;
  readonly tokens: ReadonlySet<TokenId>;
  readonly operators: ReadonlySet<TokenId>;
  /** The organization itself, where it brings data: of what another owner loses, its own daemon tells. */
  readonly provider: Address | undefined;
}

const NO_PROVIDER = 'the owner of its data lost the role of a provider';

type Request = Pick<ResolvedRequest, 'facts' | 'spec'>;

export function obligationsOf({ facts, spec }: Request, organization: Address): Obligations {
  const tokens = [...facts.tokens.values()];
  return {
    grants: new Set(tokens.flatMap(({ id, grants }) => grants.map(({ child }) => `${child}>${id}`))),
    tokens: new Set(facts.tokens.keys()),
    operators: new Set(spec.steps.map(({ operator }) => operator.id)),
    provider: spec.steps.some(({ owner }) => owner === organization) ? organization : undefined,
  };
}

/** Whether an event can take anything away at all. */
export const takesAway = ({ kind }: LedgerEvent): boolean => ['revoked', 'operator-retired', 'organization', 'transferred'].includes(kind);

/** What an event takes away of it; undefined: nothing. */
export function lossBy(event: LedgerEvent, { grants, tokens, operators, provider }: Obligations): string | undefined {
  switch (event.kind) {
    case 'revoked':
      return grants.has(`${event.child}>${event.composite}`) ? 'a grant was revoked' : undefined;
    case 'operator-retired':
      return operators.has(event.operator) ? 'its operator was retired' : undefined;
    case 'organization':
      return !event.organization.isProvider && event.organization.address === provider ? NO_PROVIDER : undefined;
    case 'transferred':
      return event.contract === 'token' && tokens.has(event.token) ? 'a token that it uses has another owner' : undefined;
    default:
      return undefined;
  }
}

/** What is missing of it already, by what was read just now. */
export function lossIn({ facts, spec }: Request, organization: Address): string | undefined {
  for (const { grants } of facts.tokens.values())
    for (const { grantedUntil } of grants)
      if (!isLiveGrant(grantedUntil, facts.now)) return grantedUntil === undefined ? 'a grant was revoked' : 'a grant ran out';
  for (const { operator, owner, token } of spec.steps) {
    if (facts.operators.get(operator.id)?.record.retired !== false) return 'its operator was retired';
    if (owner === organization && facts.organizations.get(owner)?.isProvider !== true) return NO_PROVIDER;
    if (facts.tokens.get(token)?.owner !== owner) return 'a token that it uses has another owner';
  }
  return undefined;
}

/** When the first grant of the tree ends, milliseconds since 1970; undefined: none does. */
export function grantsEndOf({ facts }: Pick<ResolvedRequest, 'facts'>): number | undefined {
  const ends = [...facts.tokens.values()].flatMap(({ grants }) =>
    grants.flatMap(({ grantedUntil }) => (grantedUntil ? [grantedUntil * 1000] : [])),
  );
  return ends.length === 0 ? undefined : Math.min(...ends);
}
