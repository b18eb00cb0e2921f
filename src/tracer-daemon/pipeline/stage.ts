import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canonicalBytes } from '../../documents/canonical.js';
import { type Ddo, serviceOf } from '../../documents/ddo/ddo.js';
import type { TokenId } from '../../documents/ids.js';
import type { JointDescription } from '../../documents/job/joint-description.js';
import { operatorFileNames } from '../../documents/operator/operator.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { stagePrivacyPackage } from '../../operator-kit/stage-privacy-package.js';
import type { DaemonDeps } from '../deps.js';
import type { Dataset } from '../store/store.js';
import { type AuthorizedJob, brand, type StagedJob } from './stages.js';

/** What a joint job adds to a job folder. */
export interface JointStaging {
  /** Digest of what all parties have agreed to. */
  readonly session: string;
  /** All runs of this organization, whose data the operator gets. */
  readonly runs: readonly AuthorizedJob[];
  readonly direct: NonNullable<JointDescription['direct']>;
}

/**
 * Stage 4. The job folder: inputs/ with a copy of the data whose bytes are checked while they are copied, operator/ with the very code
 * whose digest was authorized, args.json, empty outputs/; for a joint job also joint.json, the kit, and the data of all runs of this
 * organization. A folder of an earlier attempt is wiped first.
 * @throws DT_DATASET_UNKNOWN, DT_DATASET_VANISHED, DT_DATASET_CHANGED
 */
export async function stageJob(
  deps: Pick<DaemonDeps, 'store' | 'config'>,
  job: AuthorizedJob,
  runId: string,
  signal: AbortSignal,
  joint?: JointStaging,
): Promise<StagedJob> {
  const { operator } = job.step;
  const folder = join(deps.config.jobs.folder, runId);
  await rm(folder, { recursive: true, force: true });
  for (const part of ['inputs', 'operator', 'outputs', 'logs']) await mkdir(join(folder, part), { recursive: true, mode: 0o700 });
  const inputs = new Map<TokenId, string>();
  for (const run of joint?.runs ?? [job])
    if (run.joint === undefined || run.joint.seat.inputs.length > 0)
      inputs.set(run.step.token, await stageInput(deps, run, join(folder, 'inputs'), [...inputs.values()], signal));
  const operatorFile = operatorFileNames[operator.runtime];
  await writeFile(join(folder, 'operator', operatorFile), job.code, { mode: 0o444 });
  await writeFile(join(folder, 'args.json'), canonicalBytes(job.step.arguments), { mode: 0o444 });
  if (joint !== undefined) {
    if (operator.runtime === 'node') await stagePrivacyPackage(join(folder, 'operator'));
    await writeFile(join(folder, 'joint.json'), JSON.stringify(describe(job, joint, inputs), null, 1), { mode: 0o444 });
  }
  return brand<StagedJob>({ authorized: job, folder, operatorFile });
}

async function stageInput(
  deps: Pick<DaemonDeps, 'store'>,
  job: AuthorizedJob,
  folder: string,
  taken: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { token, service } = job.step;
  const dataset = await deps.store.datasets.get(token);
  if (dataset === undefined) throw new ToolkitError('DT_DATASET_UNKNOWN', { id: token });
  // What was approved is what is staged: the owner may have put other data in its place since then.
  if (dataset.sha256 !== job.data) throw new ToolkitError('DT_DATASET_CHANGED', { id: token });
  const name = inputName(job.request.facts.ddos.get(token), service, dataset);
  const number = job.joint?.seat.inputs.find((input) => input.token === token)?.number;
  // Two data sets of one organization may have files of the same name.
  const unique = taken.includes(name) ? `${number}-${name}` : name;
  await copyChecked(dataset, join(folder, unique), token, signal);
  return unique;
}

function describe(
  job: AuthorizedJob,
  { session, direct }: JointStaging,
  files: ReadonlyMap<TokenId, string>,
): JointDescription | undefined {
  if (job.joint === undefined) return undefined;
  const { group, seat } = job.joint;
  const { organizations } = job.request.facts;
  return {
    session,
    seat: seat.seat,
    seats: group.seats.map(({ seat: number, organization, inputs }) => ({
      seat: number,
      organization,
      name: (organizations.get(organization)?.name ?? organization).slice(0, 200),
      inputs: inputs.map((input) => input.number),
    })),
    inputs: Object.fromEntries(seat.inputs.map(({ number, token }) => [number, `inputs/${files.get(token)}`])),
    peers: group.seats.flatMap((other) => (other.seat === seat.seat ? [] : [other.seat])),
    ...(direct.length > 0 && { direct }),
  };
}

/** `attributes.path` of the service says where the operator finds the data, always directly in inputs/; else the file keeps its name. */
export function inputName(ddo: Ddo | undefined, service: string, dataset: Pick<Dataset, 'path'>): string {
  const declared = ddo === undefined ? undefined : serviceOf(ddo, service).attributes['path'];
  if (typeof declared !== 'string') return basename(dataset.path);
  const clean = posix.normalize(declared);
  if (/^inputs\/[^/\0]+$/.test(clean) && !clean.endsWith('/..')) return clean.slice('inputs/'.length);
  throw new ToolkitError('DT_DOCUMENT_INVALID', {
    kind: 'DDO',
    pointer: '/services',
    reason: 'attributes.path must be ./inputs/<file name>',
  });
}

/** What lies at the path by now may be a link, a pipe or a file without end: none of them is read further than the data was long. */
async function copyChecked(dataset: Dataset, target: string, token: TokenId, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const file = await open(dataset.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const source = file.createReadStream({ highWaterMark: 1 << 20, end: dataset.sizeBytes });
    await pipeline(source, tap, createWriteStream(target, { mode: 0o400 }), { signal });
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EAGAIN'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw new ToolkitError('DT_DATASET_VANISHED', { id: token }, error);
    throw error;
  }
  if (`0x${hash.digest('hex')}` !== dataset.sha256) {
    await rm(target, { force: true });
    throw new ToolkitError('DT_DATASET_CHANGED', { id: token });
  }
  await chmod(target, 0o444);
}
