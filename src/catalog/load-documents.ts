import { cidOf } from '../content-store/cid.js';
import type { ContentStore } from '../content-store/content-store.js';
import { parseJson } from '../documents/canonical.js';
import { type Ddo, parseDdo } from '../documents/ddo/ddo.js';
import type { Bytes32, TokenId } from '../documents/ids.js';
import { type OperatorDocument, parseOperator } from '../documents/operator/operator.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** The DDO that the chain anchors for a token. @throws DT_DOCUMENT_UNRESOLVED, DT_DOCUMENT_TAMPERED, DT_DOCUMENT_INVALID */
export async function loadDdo(store: ContentStore, record: { readonly id: TokenId; readonly digest: Bytes32 }): Promise<Ddo> {
  const ddo = parseDdo(await loadJson(store, record.digest));
  if (ddo.dt !== record.id) throw otherToken('DDO', '/dt', ddo.dt, record.id);
  return ddo;
}

/** The operator document that the chain anchors. @throws DT_DOCUMENT_UNRESOLVED, DT_DOCUMENT_TAMPERED, DT_DOCUMENT_INVALID */
export async function loadOperator(
  store: ContentStore,
  record: { readonly id: TokenId; readonly digest: Bytes32 },
): Promise<OperatorDocument> {
  const operator = parseOperator(await loadJson(store, record.digest));
  if (operator.tid !== record.id) throw otherToken('operator', '/tid', operator.tid, record.id);
  return operator;
}

async function loadJson(store: ContentStore, digest: Bytes32): Promise<unknown> {
  const bytes = await store.get(digest);
  if (bytes === undefined) throw new ToolkitError('DT_DOCUMENT_UNRESOLVED', { cid: cidOf(digest) });
  return parseJson(bytes, `Document ${cidOf(digest)}`);
}

const otherToken = (kind: string, pointer: string, found: string, expected: string): ToolkitError =>
  new ToolkitError('DT_DOCUMENT_INVALID', { kind, pointer, reason: `it describes ${found}, but the chain anchors it for ${expected}` });
