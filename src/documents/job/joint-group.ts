import type { Address, Bytes32, TokenId } from '../ids.js';

/** One party of a joint computation: an organization, and what it brings. */
export interface JointSeat {
  /** Its key in `exec_endpoints`: "0", "1", … */
  readonly seat: string;
  readonly organization: Address;
  /** Its data tokens of the group with their `party_id`, in that order. None: it helps and brings no data, as a dealer does. */
  readonly inputs: readonly { readonly number: string; readonly token: TokenId }[];
}

/** The steps of a job that compute together: those of one joint operator. */
export interface JointGroup {
  readonly operator: TokenId;
  /** In the order of their numbers; at least two, each of another organization. */
  readonly seats: readonly JointSeat[];
}

/** As much of a job spec as says who sits where. */
interface Seating {
  readonly algorithm: { readonly token: TokenId };
  readonly joint?: readonly JointGroup[];
}

/** The token under which a seat's run, decision and receipt are kept: its first input, or for a helper the algorithm. */
export const leadToken = (spec: Seating, seat: JointSeat): TokenId => seat.inputs[0]?.token ?? spec.algorithm.token;

/** The tokens that a seat decides about. */
export const tokensOf = (spec: Seating, seat: JointSeat): readonly TokenId[] =>
  seat.inputs.length === 0 ? [spec.algorithm.token] : seat.inputs.map(({ token }) => token);

/** Where an organization sits for a token of a job; undefined when the token is not computed on jointly. */
export function seatOf(
  spec: Seating,
  organization: Address,
  token: TokenId,
): { readonly group: JointGroup; readonly seat: JointSeat } | undefined {
  for (const group of spec.joint ?? [])
    for (const seat of group.seats) if (seat.organization === organization && tokensOf(spec, seat).includes(token)) return { group, seat };
  return undefined;
}

/** Names a joint computation on the links between its daemons: the same at all of them, and nothing else is called so. */
export const jointSession = (job: string, spec: Bytes32, group: JointGroup): string =>
  `joint.${job}.${spec.slice(2)}.${group.operator.slice(-64, -48)}`;

/** The job and the spec that a session is about; undefined for any other text. */
export function parseJointSession(text: string): { readonly job: bigint; readonly spec: Bytes32; readonly operator: string } | undefined {
  const found = /^joint\.([1-9][0-9]{0,18})\.([0-9a-f]{64})\.([0-9a-f]{16})$/.exec(text);
  return found === null ? undefined : { job: BigInt(found[1] as string), spec: `0x${found[2]}` as Bytes32, operator: found[3] as string };
}

/** Addresses that documents name as parties of a joint computation, so that the organizations behind them are read with the others. */
export function partiesNamed(documents: Iterable<object>): readonly Address[] {
  const found = new Set<Address>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 24 || found.size >= 64) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'exec_endpoints' && typeof inner === 'object' && inner !== null)
        for (const party of Object.values(inner))
          if (typeof party === 'string' && /^0x[0-9a-fA-F]{40}$/.test(party)) found.add(party.toLowerCase() as Address);
      visit(inner, depth + 1);
    }
  };
  for (const document of documents) visit(document, 0);
  return [...found];
}
