import { ToolkitError } from '../../errors/toolkit-error.js';
import { digestOf, type Json } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import { documentParser, patterns } from '../schema.js';

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
  | 'spec'
  | 'joint'
  | 'release'
  | 'runs'
  | 'approval';

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

/** The error of a refusal: it carries every failed clause, for problem+json and for the terminal. */
export function denial(id: string, clauses: readonly Clause[], decision?: Bytes32): ToolkitError {
  const failed = failedClauses(clauses);
  const details = { id, count: failed.length, summary: summarize(failed), clauses: failed };
  return new ToolkitError('DT_POLICY_DENIED', decision === undefined ? details : { ...details, decision });
}

/** @throws DT_POLICY_DENIED naming all that failed */
export function requireAll(id: string, clauses: readonly Clause[]): void {
  if (failedClauses(clauses).length > 0) throw denial(id, clauses);
}

/** One line a failed clause, for error messages. */
export function summarize(clauses: readonly Clause[]): string {
  const lines = failedClauses(clauses).map((clause) => `${clause.pointer} of ${shorten(clause.of)}: ${clause.wouldPass ?? clause.rule}`);
  const shown = lines.slice(0, 5).join('; ');
  return lines.length > 5 ? `${shown}; and ${lines.length - 5} more` : shown;
}

const shorten = (id: string): string => (id.length > 30 ? `${id.slice(0, 21)}…` : id);

const text = { type: 'string' } as const;
const tokenId = { type: 'string', pattern: patterns.tokenId } as const;

/** A decision from outside, with whatever rules its daemon knows. @throws DT_DOCUMENT_INVALID */
export const parseDecision = documentParser<Decision>('decision', {
  type: 'object',
  required: ['kind', 'daemon', 'subject', 'allowed', 'clauses', 'decidedAt'],
  properties: {
    kind: { const: 'decision' },
    daemon: { type: 'string', pattern: patterns.address },
    subject: { type: 'object', required: ['token'], properties: { job: text, composite: tokenId, token: tokenId } },
    spec: { type: 'string', pattern: patterns.bytes32 },
    allowed: { type: 'boolean' },
    clauses: {
      type: 'array',
      items: {
        type: 'object',
        required: ['of', 'by', 'pointer', 'rule', 'passed'],
        properties: { of: text, by: text, pointer: text, rule: text, passed: { type: 'boolean' }, wouldPass: text },
      },
    },
    decidedAt: text,
  },
});
