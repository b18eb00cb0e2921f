import { canonicalBytes, sha256 } from '../../documents/canonical.js';
import { seatOf } from '../../documents/job/joint-group.js';
import { stepOf } from '../../documents/job/step-of.js';
import { operatorFileNames } from '../../documents/operator/operator.js';
import { evidenceFiles } from '../../documents/receipt/evidence.js';
import type { FileDigest } from '../../documents/receipt/receipt.js';
import type { ReadEvidence } from './given-evidence.js';
import type { JobDocuments } from './job-documents.js';

/** Below these names in a job folder. */
const RELEASED = 'released';
const LOG = 'logs/operator.log';

/** That how it ended, what ran, and what lies in its folder are what the receipt says, and what the job spec asked for. */
export function verifyRun(evidence: ReadEvidence, documents: JobDocuments | undefined): void {
  verifyOutcome(evidence);
  verifyCode(evidence, documents);
  verifyFolder(evidence);
}

function verifyOutcome({ checks, signed }: ReadEvidence): void {
  const { outcome, failure, exit, outputs, sandbox } = signed.receipt;
  const at = (key: string): string => `receipt.json#/receipt/${key}`;
  if (outcome === 'succeeded') {
    checks.holds('outcome', at('failure'), failure === undefined, 'no failure of what succeeded', failure?.code ?? '');
    const ended =
      exit === undefined ? 'nothing' : `${exit.code ?? exit.signal}${exit.limit === undefined ? '' : ` at its limit (${exit.limit})`}`;
    checks.holds('outcome', at('exit'), exit?.code === 0 && exit.limit === undefined, 'exit code 0', ended);
  } else {
    checks.holds('outcome', at('failure'), failure !== undefined, `why it was ${outcome}`, 'nothing');
    checks.holds('outcome', at('outputs'), outputs.length === 0, 'no output of what did not succeed', `${outputs.length} outputs`);
  }
  if (exit === undefined) return;
  const layers = layersOf.get(sandbox?.level ?? '');
  const missing = (layers ?? []).filter((layer) => sandbox?.layers.includes(layer) !== true);
  checks.holds(
    'sandbox',
    at('sandbox'),
    layers !== undefined && missing.length === 0,
    'a sandbox with the layers of its level',
    missing.join(', ') || (sandbox?.level ?? 'none'),
  );
}

/** What every run of a level has, whatever the machine. */
const layersOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['process', ['environment', 'rlimits', 'no-new-privileges']],
  ['namespaces', ['environment', 'rlimits', 'no-new-privileges', 'filesystem', 'network', 'pid', 'capabilities']],
  ['bubblewrap', ['environment', 'rlimits', 'no-new-privileges', 'filesystem', 'network', 'pid', 'capabilities', 'seccomp']],
]);

/** The bytes of code and arguments are those of the job spec, and the code is that of the operator's document. */
function verifyCode({ checks, signed, spec }: ReadEvidence, documents: JobDocuments | undefined): void {
  const { receipt } = signed;
  const step = spec && stepOf(spec, receipt.owner, receipt.token);
  if (spec === undefined) {
    checks.skip('operator', 'receipt.json#/receipt/operator', 'the job spec');
    checks.skip('arguments', 'receipt.json#/receipt/files (args.json)', 'the job spec');
    return;
  }
  if (step === undefined) {
    checks.holds('spec', 'spec.json#/steps', receipt.outcome === 'refused', `a step for ${receipt.token}`, 'none');
    return;
  }
  if (receipt.ddo !== undefined) checks.same('operator', 'receipt.json#/receipt/ddo', step.ddo, receipt.ddo);
  if (receipt.operator === undefined) {
    checks.holds('operator', 'receipt.json#/receipt/operator', receipt.exit === undefined, 'the operator that ran', 'none');
    return;
  }
  const { id, version, digest, runtime } = step.operator;
  const { operator, files } = receipt;
  checks.same(
    'operator',
    'receipt.json#/receipt/operator',
    `${id} ${version} ${digest}`,
    `${operator.id} ${operator.version} ${operator.digest}`,
  );
  if (files === undefined) return;
  const code = `operator/${operatorFileNames[runtime]}`;
  const staged = (name: string): string | undefined => files.find((file) => file.name === name)?.sha256;
  checks.same('arguments', 'receipt.json#/receipt/files (args.json)', sha256(canonicalBytes(step.arguments)), staged('args.json'));
  const document = documents?.operators.get(digest);
  const at = `receipt.json#/receipt/files (${code})`;
  if (document === undefined) checks.skip('operator', at, `the document of the operator, ${digest}`);
  else checks.same('operator', at, sha256(Buffer.from(document.operation, 'utf8')), staged(code));
  const others = files.filter(({ name }) => name !== 'args.json' && name !== code);
  const isJoint = seatOf(spec, receipt.owner, receipt.token) !== undefined;
  if (others.length > 0 && isJoint)
    checks.skip('operator', 'receipt.json#/receipt/files', `the kit of joint operators of ${receipt.software}, to compare its files with`);
  else if (others.length > 0)
    checks.holds('operator', 'receipt.json#/receipt/files', false, 'code and arguments alone', others.map(({ name }) => name).join(', '));
}

/** Every file is one that the receipt tells of, with the bytes that it tells of; none is missing. */
function verifyFolder({ given, checks, signed }: ReadEvidence): void {
  const { folder } = given;
  const { receipt } = signed;
  if (folder === undefined) {
    if (receipt.outputs.length > 0) checks.skip('outputs', 'receipt.json#/receipt/outputs', 'the files: a folder of `dt job outputs`');
    return;
  }
  const log = receipt.log === undefined ? [] : [{ ...receipt.log, name: LOG }];
  const below = (file: FileDigest): FileDigest => ({ ...file, name: `${RELEASED}/${file.name}` });
  // What is for the owner alone is in the receipt, and in no download.
  const told: readonly FileDigest[] =
    folder.kind === 'outputs'
      ? receipt.outputs.filter(({ recipient }) => recipient !== 'owner')
      : [...(receipt.files ?? []), ...log, ...receipt.outputs.map(below)];
  for (const { name, sizeBytes, sha256: digest } of told) {
    const found = folder.files.get(name);
    const check = folder.kind === 'outputs' || name.startsWith(`${RELEASED}/`) ? 'outputs' : 'folder';
    const say = (file: { readonly sizeBytes: number; readonly sha256: string } | undefined): string =>
      file === undefined ? 'it is missing' : `${file.sizeBytes} bytes, ${file.sha256}`;
    checks.same(check, name, say({ sizeBytes, sha256: digest }), say(found));
  }
  const names = new Set(told.map(({ name }) => name));
  // A joint job that failed at the very end keeps its results for a rerun; they are in no receipt.
  const isKept = (name: string): boolean =>
    receipt.outcome !== 'succeeded' && folder.files.has('finished.json') && /^(finished\.json$|outputs\/)/.test(name);
  for (const name of [...folder.files.keys(), ...folder.others]) {
    if (names.has(name) || (folder.kind === 'job' && evidenceFiles.includes(name))) continue;
    if (isKept(name)) checks.skip('folder', name, 'the receipt of a rerun, for which it is kept');
    else checks.holds('folder', name, false, 'what the receipt tells of, and nothing else', 'a file that it does not know');
  }
}
