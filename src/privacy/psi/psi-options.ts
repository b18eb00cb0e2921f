import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Terms } from '../handshake.js';
import { type PsiProtocol, psiProtocols } from './choose-protocol.js';
import { kernelsSourceHash } from './kernels-wasm.js';
import { maxSetSize } from './kkrt-plan.js';
import { normalizerOf } from './normalize-id.js';

/**
 * - both: each side learns which of its rows are common, in the order of its own rows
 * - one: only the party `to` does
 * - aligned: as both, in one random order that is the same at both sides, for a joint job on the common rows
 * - cardinality: the number of common ids, to both, or to the party `to` alone
 */
export const psiResults = ['both', 'one', 'aligned', 'cardinality'] as const;
export type PsiResultKind = (typeof psiResults)[number];

/** What both sides agree on; a difference in any field ends the run before anything is sent. */
export interface PsiTerms {
  readonly jobDigest: string;
  readonly result: PsiResultKind;
  /** The party that learns it, for `one` and, where only one shall, for `cardinality`. */
  readonly to?: 0 | 1;
  /** The rule of each id column, see normalize-id; their number is the number of columns. */
  readonly normalize: readonly string[];
  /** `auto` by default. */
  readonly protocol?: PsiProtocol | 'auto';
  /** For `cardinality`: a third party deals random numbers, which makes it fast for large sets. */
  readonly dealer?: boolean;
}

/** What each side decides for itself. */
export interface PsiOwnOptions {
  /** 0 or 1; the other side is the other one. */
  readonly party: 0 | 1;
  /** Fewer common ids than this end the run without a result for anyone; the larger of both sides' demands counts. 0 by default. */
  readonly minIntersection?: number;
  /** Show this many ids to the peer instead of the true number, which must not be larger. */
  readonly padTo?: number;
  /** `refuse` by default. */
  readonly duplicates?: 'refuse' | 'keep-first';
}

/** The canonical terms of a run. Errors: DT_INPUT_INVALID. */
export function psiTerms(terms: PsiTerms): Terms {
  const { result, to, normalize, protocol = 'auto', dealer = false } = terms;
  const invalid = (reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what: 'The join', reason });
  if (!psiResults.includes(result)) throw invalid(`its result is none of ${psiResults.join(', ')}`);
  if (protocol !== 'auto' && !psiProtocols.includes(protocol)) throw invalid(`its protocol is none of auto, ${psiProtocols.join(', ')}`);
  if (to !== undefined && to !== 0 && to !== 1) throw invalid('its result goes to party 0 or 1');
  if (result === 'one' && to === undefined) throw invalid('a result for one side needs to say which');
  if (to !== undefined && (result === 'both' || result === 'aligned')) throw invalid('a result for both sides goes to both');
  if (dealer && result !== 'cardinality') throw invalid('only a count has a third party that deals');
  if (normalize.length === 0) throw invalid('there must be one normalization rule for each id column');
  for (const rule of normalize) normalizerOf(rule);
  return {
    protocol: 'private-set-intersection',
    version: 2,
    kernels: kernelsSourceHash,
    jobDigest: terms.jobDigest,
    result,
    to: to ?? 'both',
    normalization: normalize.join(', '),
    demandedProtocol: protocol,
    dealer,
  };
}

/** Errors: DT_INPUT_INVALID, DT_PSI_SIZE. */
export function checkOwnOptions({ party, minIntersection = 0, padTo = 0, duplicates = 'refuse' }: PsiOwnOptions): void {
  const invalid = (reason: string): ToolkitError => new ToolkitError('DT_INPUT_INVALID', { what: 'The join', reason });
  if (party !== 0 && party !== 1) throw invalid('a party is 0 or 1');
  if (!Number.isInteger(minIntersection) || minIntersection < 0 || minIntersection > maxSetSize) {
    throw invalid(`the smallest intersection is a number from 0 to ${maxSetSize}`);
  }
  if (!Number.isInteger(padTo) || padTo < 0) throw invalid('the size to pad to is a whole number');
  if (padTo > maxSetSize) throw new ToolkitError('DT_PSI_SIZE', { actual: padTo, limit: maxSetSize });
  if (duplicates !== 'refuse' && duplicates !== 'keep-first') throw invalid('duplicates are refused or keep-first');
}
