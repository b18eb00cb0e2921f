import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalBytes, type Json } from '../../documents/canonical.js';
import type { Bytes32 } from '../../documents/ids.js';
import { type AnchorProof, type Evidence, evidenceNames } from '../../documents/receipt/evidence.js';
import type { SignedReceipt } from '../../documents/receipt/receipt.js';
import type { DaemonDeps } from '../deps.js';
import type { Run } from '../store/run.js';

export interface FolderDeps {
  readonly config: { readonly jobs: Pick<DaemonDeps['config']['jobs'], 'folder'> };
}

/** A receipt with the records that it names; one that is not here is left out. @throws DT_DOCUMENT_TAMPERED */
export async function evidenceOf(
  { records }: Pick<DaemonDeps, 'records'>,
  receiptDigest: Bytes32,
  anchor?: AnchorProof,
): Promise<Evidence | undefined> {
  // These bytes are our own and were verified against their digest when they were read.
  const record = async (digest: Bytes32): Promise<Json | undefined> => {
    const bytes = await records.get(digest);
    return bytes && (JSON.parse(Buffer.from(bytes).toString('utf8')) as Json);
  };
  const found = await record(receiptDigest);
  if (found === undefined) return undefined;
  const { receipt } = found as Json & SignedReceipt;
  const [request, spec, decision] = await Promise.all([receipt.request, receipt.spec, receipt.decision].map(record));
  return {
    receipt: found,
    ...(request !== undefined && { request }),
    ...(spec !== undefined && { spec }),
    ...(decision !== undefined && { decision }),
    ...(anchor && { anchor: { ...anchor } }),
  };
}

/** The evidence of a run into its job folder, so that the folder can be checked by itself. */
export async function writeEvidence(deps: Pick<DaemonDeps, 'records' | 'config'>, runId: string, receiptDigest: Bytes32): Promise<void> {
  const evidence = await evidenceOf(deps, receiptDigest);
  const folder = join(deps.config.jobs.folder, runId);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of evidenceNames) {
    const document = evidence?.[name];
    if (document !== undefined) await writeFile(join(folder, `${name}.json`), canonicalBytes(document), { mode: 0o600 });
  }
}

/** Where its receipt stands on the chain; undefined as long as it does not. */
export const anchorOf = ({ anchor, settlementTransaction: transaction }: Run): AnchorProof | undefined =>
  anchor && transaction && { ...anchor, transaction };

/** The proof beside the rest, once the chain has taken the receipt. A folder that is gone by then stays so. */
export async function writeAnchor({ config }: FolderDeps, runId: string, proof: AnchorProof): Promise<void> {
  const file = join(config.jobs.folder, runId, 'anchor.json');
  await writeFile(file, canonicalBytes(proof), { mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
