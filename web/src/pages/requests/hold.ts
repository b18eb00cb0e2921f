import type { JsonObject } from '../../../../src/documents/canonical.js';
import type { Clause } from '../../../../src/documents/decision/decision.js';
import type { Bytes32 } from '../../../../src/documents/ids.js';
import type { Output, Run } from '../../api/types.js';

/** What waits for the owner, as `GET /v1/holds` tells it. */
export interface Hold {
  readonly kind: 'request' | 'outputs';
  readonly run: Run;
  /** What an answer is about; absent with the rest where the daemon could not read it, see `problem`. */
  readonly subject?: Bytes32;
  readonly operator?: { readonly id: string; readonly version: number; readonly digest: Bytes32; readonly code?: string };
  readonly approved?: { readonly run: string; readonly at: string; readonly operator: Bytes32 };
  readonly arguments?: JsonObject;
  readonly data?: Bytes32;
  readonly outputs?: readonly Output[];
  readonly clauses?: readonly Clause[];
  readonly problem?: { readonly code: string; readonly message: string };
}
