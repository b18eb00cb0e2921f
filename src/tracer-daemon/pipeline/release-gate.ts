import type { FileHandle } from 'node:fs/promises';
import { newEffort } from '../../constraints/effort.js';
import { matchSchema } from '../../constraints/schema-match.js';
import { CsvDataset } from '../../datasets/csv/csv-dataset.js';
import { countKeys, inspectJson, type Json, pointer } from '../../documents/canonical.js';
import { deadlineMs, type MediaType, mediaTypeOf, namesOutput, type OutputRule } from '../../documents/ddo/release-terms.js';
import type { TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { type JobOutput, openOutput } from '../../sandbox/outputs.js';
import type { LeafTerms, ReleasedOutput } from './stages.js';

/** JSON is read into memory as a whole; more of it cannot be checked, and so cannot leave where it has to be. */
const MOST_JSON_BYTES = 32 << 20;

export interface GateVerdict {
  readonly leaving: readonly ReleasedOutput[];
  /** Files that the operator wrote and that were not declared; absent where no leaf declares what leaves. */
  readonly withheld?: number;
  /** How long the owner has to look at what leaves; absent when nothing is held. */
  readonly holdMs?: number;
}

/**
 * What may leave of what an operator wrote: by the rules of every leaf that it was given, all of which bind. A file that is not declared stays
 * behind; one that is declared and breaks its rule refuses the release. The words for that tell the rule and never what stands behind it.
 * @throws DT_POLICY_OUTPUT
 */
export async function passGate(folder: string, found: readonly JobOutput[], terms: readonly LeafTerms[]): Promise<GateVerdict> {
  const declaring = terms.filter(({ outputs }) => outputs !== undefined);
  const leaving: ReleasedOutput[] = [];
  let holdMs = Number.POSITIVE_INFINITY;
  for (const file of found) {
    const rules = declaring.map((leaf) => rulesFor(leaf, file.name));
    if (rules.some((named) => named.length === 0)) continue;
    const named = rules.flat();
    for (const { rule, of, where } of named) {
      const reason = await whyNot(folder, file, rule);
      if (reason !== undefined) throw new ToolkitError('DT_POLICY_OUTPUT', { name: file.name, pointer: where, id: of, reason });
      if (rule.hold !== undefined) holdMs = Math.min(holdMs, deadlineMs(rule.hold));
    }
    const { name, sizeBytes, sha256 } = file;
    const isOwners = named.some(({ rule }) => rule.recipient === 'owner');
    leaving.push({ name, sizeBytes, sha256, ...(isOwners && { recipient: 'owner' }) });
  }
  return {
    leaving,
    ...(declaring.length > 0 && { withheld: found.length - leaving.length }),
    ...(Number.isFinite(holdMs) && { holdMs }),
  };
}

interface NamedRule {
  readonly rule: OutputRule;
  readonly of: TokenId;
  /** In the document of `of`. */
  readonly where: string;
}

const rulesFor = ({ token, service, outputs }: LeafTerms, name: string): readonly NamedRule[] =>
  (outputs ?? []).flatMap((rule, i) =>
    namesOutput(rule, name) ? [{ rule, of: token, where: pointer('services', service, 'outputs', i) }] : [],
  );

/** Why a file may not leave by a rule: which part of the rule, without the numbers of the file. */
async function whyNot(folder: string, file: JobOutput, rule: OutputRule): Promise<string | undefined> {
  if (rule.maxBytes !== undefined && file.sizeBytes > rule.maxBytes) return `it is larger than ${rule.maxBytes} bytes`;
  const mediaType = mediaTypeOf(rule);
  if (mediaType === undefined || mediaType === 'application/octet-stream') return undefined;
  const handle = await openOutput(folder, file.name);
  try {
    if (mediaType.startsWith('application/json')) return await whyNotJson(handle, file, mediaType, rule.schema);
    if (mediaType === 'text/csv') return await whyNotTable(handle, rule.minGroupSize);
    return (await isOfForm(handle, file, mediaType)) ? undefined : `it is not ${mediaType}`;
  } finally {
    await handle.close();
  }
}

async function whyNotJson(
  handle: FileHandle,
  file: JobOutput,
  mediaType: MediaType,
  schema: Json | undefined,
): Promise<string | undefined> {
  if (file.sizeBytes > MOST_JSON_BYTES) return `it is larger than the ${MOST_JSON_BYTES} bytes that can be checked`;
  const effort = newEffort();
  const values: Json[] = [];
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await handle.readFile());
    // Nothing but empty lines is passed over: blanks of other kinds are no JSON, and could spell anything.
    const sources = mediaType === 'application/json' ? [text] : text.split('\n').filter((line) => line !== '' && line !== '\r');
    for (const source of sources) {
      const value = JSON.parse(source) as Json;
      // JSON.parse keeps one of two equal keys: the other would leave unseen.
      if (countKeys(source) !== inspectJson(value).keys) return 'an object in it names the same key twice';
      values.push(value);
    }
  } catch {
    return `it is not ${mediaType}`;
  }
  for (const value of values) {
    const { tooDeep, flaw } = inspectJson(value);
    if (tooDeep || flaw !== undefined) return `it is not ${mediaType} that can be checked`;
    if (schema !== undefined && !matchSchema(schema, value, effort).accepted) return 'its content does not fit the schema';
  }
  return undefined;
}

/** A table whose every row stands for enough. What cannot be read is not enough. */
async function whyNotTable(handle: FileHandle, groups: OutputRule['minGroupSize']): Promise<string | undefined> {
  // The open file by its descriptor: what the name stands for could have been exchanged.
  const table = new CsvDataset(`/proc/self/fd/${handle.fd}`);
  try {
    const { columns } = await table.describe();
    const at = groups === undefined ? -1 : columns.findIndex(({ name }) => name === groups.column);
    if (groups === undefined) return undefined;
    if (at < 0) return `it has no column ${groups.column} that tells the sizes of its groups`;
    for await (const row of table.rows()) {
      const cell = (row[at] ?? '').trim();
      if (!/^\d{1,15}$/.test(cell) || Number(cell) < groups.size)
        return `a group is smaller than ${groups.size}, or of a size that cannot be read`;
    }
    return undefined;
  } catch (error) {
    if (error instanceof ToolkitError) return 'it is not text/csv';
    throw error;
  }
}

const PNG = { head: Buffer.from('89504e470d0a1a0a', 'hex'), tail: Buffer.from('0000000049454e44ae426082', 'hex') } as const;

async function isOfForm(handle: FileHandle, { sizeBytes }: JobOutput, mediaType: MediaType): Promise<boolean> {
  if (mediaType === 'image/png') {
    const at = async (length: number, position: number): Promise<Buffer> =>
      (await handle.read(Buffer.alloc(length), 0, length, position)).buffer;
    return (
      sizeBytes >= PNG.head.length + PNG.tail.length &&
      (await at(PNG.head.length, 0)).equals(PNG.head) &&
      (await at(PNG.tail.length, sizeBytes - PNG.tail.length)).equals(PNG.tail)
    );
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of handle.createReadStream({ start: 0, autoClose: false }))
      if (decoder.decode(chunk as Buffer, { stream: true }).includes('\0')) return false;
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}
