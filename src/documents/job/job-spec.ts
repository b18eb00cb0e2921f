import { digestOf, type JsonObject } from '../canonical.js';
import type { Address, Bytes32, TokenId } from '../ids.js';
import type { OperatorRuntime } from '../operator/operator.js';
import type { JointGroup } from './joint-group.js';

/** One party's share, resolved: the very code, data and arguments. */
export interface JobStep {
  readonly token: TokenId;
  readonly ddo: Bytes32;
  readonly owner: Address;
  readonly service: string;
  readonly path: readonly TokenId[];
  readonly operator: { readonly id: TokenId; readonly version: number; readonly digest: Bytes32; readonly runtime: OperatorRuntime };
  readonly arguments: JsonObject;
}

/**
 * All that decides about a job, read from chain and documents, the same for every party: its hash is what the consumer signs, what
 * decisions name, and what parties of a joint job compare.
 */
export interface JobSpec {
  readonly kind: 'job-spec';
  readonly version: 1;
  readonly chain: { readonly chainId: number; readonly market: Address };
  readonly job: string;
  readonly task: string;
  readonly consumer: Address;
  readonly algorithm: { readonly token: TokenId; readonly ddo: Bytes32 };
  /** In the order of the algorithm's tree. */
  readonly steps: readonly JobStep[];
  /** Steps that compute together, and with whom; absent when every step runs alone. */
  readonly joint?: readonly JointGroup[];
  /** Every token of the tree with its document, sorted by token. */
  readonly documents: readonly { readonly token: TokenId; readonly ddo: Bytes32 }[];
}

export const digestOfSpec = (spec: JobSpec): Bytes32 => digestOf(spec);
