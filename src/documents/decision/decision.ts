import { digestOf, type Json } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';

/** The first six are about parameters (DESIGN section 6), the others about who, what and when. */
export type ClauseRule =
  | 'any'
  | 'equals'
  | 'match'
  | 'keys'
  | 'fixed'
  | 'keyword'
  | 'service'
  | 'tree'
  | 'grant'
  | 'operator'
  | 'task'
  | 'consumer'
  | 'organization'
  | 'spec';

/** One condition that was checked. Failed ones say what would pass. */
export interface Clause {
  /** The token or operator whose demand it is. */
  readonly of: string;
  /** The token that answers it. */
  readonly by: string;
  /** RFC 6901 pointer into the document of `of`. */
  readonly pointer: string;
  readonly rule: ClauseRule;
  readonly required?: Json;
  readonly offered?: Json;
  readonly passed: boolean;
  readonly wouldPass?: string;
}

/** The daemon's answer to a request: every clause checked, passed or failed. */
export interface Decision {
  readonly kind: 'decision';
  readonly daemon: Address;
  readonly subject: { readonly job: string; readonly token: TokenId } | { readonly composite: TokenId; readonly token: TokenId };
  /** Digest of the resolved job spec; absent for a grant. */
  readonly spec?: Bytes32;
  readonly allowed: boolean;
  readonly clauses: readonly Clause[];
  /** ISO 8601, UTC. */
  readonly decidedAt: string;
}

export const digestOfDecision = (decision: Decision): Bytes32 => digestOf(decision);

export const failedClauses = (clauses: readonly Clause[]): readonly Clause[] => clauses.filter((clause) => !clause.passed);

/** One line a failed clause, for error messages. */
export function summarize(clauses: readonly Clause[]): string {
  const lines = failedClauses(clauses).map((clause) => `${clause.pointer} of ${shorten(clause.of)}: ${clause.wouldPass ?? clause.rule}`);
  const shown = lines.slice(0, 5).join('; ');
  return lines.length > 5 ? `${shown}; and ${lines.length - 5} more` : shown;
}

const shorten = (id: string): string => (id.length > 30 ? `${id.slice(0, 21)}…` : id);
