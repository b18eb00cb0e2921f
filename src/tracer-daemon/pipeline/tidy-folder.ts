import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes32 } from '../../documents/ids.js';
import { evidenceFiles } from '../../documents/receipt/evidence.js';
import type { FileDigest, Receipt } from '../../documents/receipt/receipt.js';
import { RELEASED } from './release.js';

/** What the operator was given. Its data is gone by now. */
const GIVEN = ['args.json', 'joint.json', 'operator'];
export const LOG = 'logs/operator.log';
/** Of a joint job that failed after its operators had ended well: what a rerun may still release. It is nobody's evidence. */
const KEPT = ['finished.json', 'outputs'];
const OURS = ['logs', 'ending.json', RELEASED, ...evidenceFiles];

/**
 * Makes a job folder that which its receipt tells of: what does not belong there goes, as an operator can leave it where its sandbox is a
 * weak one, and what stays is listed.
 */
export async function tidyFolder(folder: string): Promise<Pick<Receipt, 'files' | 'log'>> {
  const names: readonly string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  const kept = names.includes('finished.json') ? KEPT : [];
  for (const name of names)
    if (![...GIVEN, ...OURS, ...kept].includes(name)) await rm(join(folder, name), { recursive: true, force: true });
  const files: FileDigest[] = [];
  for (const name of GIVEN) files.push(...(await digestsBelow(folder, name)));
  const logs = await digestsBelow(folder, 'logs');
  for (const { name } of logs) if (name !== LOG) await rm(join(folder, name));
  const log = logs.find(({ name }) => name === LOG);
  return { ...(files.length > 0 && { files }), ...(log && { log: { sizeBytes: log.sizeBytes, sha256: log.sha256 } }) };
}

/** Of a plain file, or of all below a folder, sorted by name. Anything else that lies there is removed. */
async function digestsBelow(folder: string, name: string): Promise<readonly FileDigest[]> {
  const path = join(folder, name);
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return [];
  if (stats.isDirectory()) {
    const below: FileDigest[] = [];
    for (const entry of (await readdir(path)).sort()) below.push(...(await digestsBelow(folder, `${name}/${entry}`)));
    return below;
  }
  if (!stats.isFile()) {
    await rm(path, { force: true });
    return [];
  }
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return [{ name, sizeBytes, sha256: `0x${hash.digest('hex')}` as Bytes32 }];
}
