import { loadOperator } from '../../catalog/load-documents.js';
import { readConstraint } from '../../constraints/constraint.js';
import { refuseSchema } from '../../constraints/refuse-schema.js';
import { canonicalBytes, type Json, sha256 } from '../../documents/canonical.js';
import type { TokenId } from '../../documents/ids.js';
import { buildOperator, type OperatorContent, saltOfOperator } from '../../documents/operator/operator.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type ActionContext, step } from '../action-context.js';
import { publishDocuments } from '../publish-documents.js';

export interface PublishOperatorParameters {
  readonly content: OperatorContent;
  /** Tells two operators with the same metadata apart. */
  readonly salt?: string;
  /** Replace the code of the operator that is published under these metadata by a new version. */
  readonly update?: boolean;
}

export interface PublishOperatorResult {
  readonly tid: TokenId;
  readonly version: number;
  /** `unchanged`: exactly this was published before. */
  readonly outcome: 'published' | 'updated' | 'unchanged';
  readonly pinnedAt: readonly string[];
  readonly failedAt: readonly string[];
}

/**
 * Publishes trusted code with the template of its parameters. The same file again changes nothing; other code under the same metadata
 * needs `update`, and owners who agreed to the version before have to agree again.
 * @throws DT_OPERATOR_EXISTS, DT_OPERATOR_RETIRED, DT_DOCUMENT_INVALID, DT_CHAIN_REVERTED
 */
export async function publishOperator(context: ActionContext, parameters: PublishOperatorParameters): Promise<PublishOperatorResult> {
  const { ledger, content: store } = context;
  const { content } = parameters;
  checkTemplate(content.params, '/params');
  const salt = saltOfOperator(content, parameters.salt);
  const tid = ledger.deriveId('operator', ledger.signer, salt);
  const record = (await ledger.operatorsAndOrganizations([tid], [])).operators[0];
  const document = buildOperator(content, tid, ledger.signer, context.now());
  if (record === undefined) {
    const digest = await store.put(canonicalBytes(document));
    await step(context, `Publish operator ${content.metadata.main.name}`, () => ledger.publishOperator(salt, digest));
    return { tid, version: 1, outcome: 'published', ...(await publishDocuments(context, [document])) };
  }
  if (record.retired) throw new ToolkitError('DT_OPERATOR_RETIRED', { id: tid });
  const published = await loadOperator(store, record).catch(() => undefined);
  if (published?.proof.checksum === document.proof.checksum)
    return { tid, version: record.version, outcome: 'unchanged', ...(await publishDocuments(context, [published])) };
  if (parameters.update !== true) throw new ToolkitError('DT_OPERATOR_EXISTS', { id: tid });
  const bytes = canonicalBytes(document);
  await store.put(bytes);
  const version = await step(context, `Update operator ${content.metadata.main.name}`, () => ledger.updateOperator(tid, sha256(bytes)));
  return { tid, version, outcome: 'updated', ...(await publishDocuments(context, [document])) };
}

/** A template that nobody could satisfy is refused before it is published. */
function checkTemplate(template: Json, where: string): void {
  const read = readConstraint(template);
  const reason = read.kind === 'unknown' ? read.reason : read.kind === 'match' ? refuseSchema(read.schema) : undefined;
  if (reason !== undefined) throw new ToolkitError('DT_DOCUMENT_INVALID', { kind: 'operator', pointer: where, reason });
  if (read.kind === 'keys') for (const [key, inner] of Object.entries(read.keys)) checkTemplate(inner, `${where}/${key}`);
}
