import { readFile } from 'node:fs/promises';
import { awaitReports } from '../actions/job/await-reports.js';
import { jobStatus } from '../actions/job/job-status.js';
import { type JointEvidence, jointEvidence } from '../actions/job/joint-evidence.js';
import { connectSigner, disconnect } from './connect.js';
import type { JointAttributes, JointFiles } from './demo-data.js';
import type { Stage } from './demo-stage.js';
import type { Home } from './home.js';
import { openSigner } from './open-signer.js';

/** What the joint model came to, and what shows how. */
export interface JointFigures {
  /** Areas under the ROC curve on rows that the models have not seen: of bank A's customers, and of the common ones. */
  readonly auc: { readonly alone: number; readonly joint: number; readonly difference: number };
  readonly rows: { readonly alone: { readonly test: number }; readonly train: number; readonly test: number };
  /** The first step: who was found by id. Each bank learns which of its own customers these are. */
  readonly join: { readonly a: number; readonly b: number; readonly common: number; readonly protocol: string; readonly ms: number };
  readonly columns: { readonly a: number; readonly b: number };
  readonly steps: number;
  readonly rounds: number;
  readonly trainMs: number;
  readonly job: bigint;
  readonly evidence: JointEvidence;
}

/** After the jobs of the first algorithm and of bank A alone. */
const JOINT = 3n;
/** Reports go to the chain after the end of a job, at once where it answers. */
const ANCHORED_MS = 30_000;

type Prepared = Omit<JointFiles, 'attributesFor'> & { readonly attributes: JointAttributes };

/** The tokens of the joint model; bank A and bank B mint them. */
export async function mintJoint(stage: Stage, { attributes, ...files }: Prepared): Promise<void> {
  for (const [name, file, data, key] of [
    ['bank-a-customers', attributes.featuresA, files.featuresA, 'bank-a'],
    ['bank-a-defaults', attributes.labelA, files.labelA, 'bank-a'],
    ['bank-b-customers', attributes.featuresB, files.featuresB, 'bank-b'],
  ] as const)
    await stage.brief('asset', 'dt', '--attr-file', file, '--store-path', data, '--as', name, '--key', key);
}

/** Bank A's own model, then the one over both banks' columns. */
export async function runJoint(stage: Stage, home: Home, { attributes, columns }: Prepared): Promise<JointFigures> {
  const run = async (how: 'brief' | 'job', algorithm: string, file: string, outputs: string): Promise<void> => {
    await stage.brief('asset', 'cdt', '--attr-file', file, '--as', algorithm, '--key', 'fintech');
    const folder = home.path('outputs', outputs);
    await stage[how]('job', 'exec', '--task-id', '1', '--cdt', `@${algorithm}`, '--outputs', folder, '--key', 'fintech');
  };
  stage.act('Bank A alone', 'what its own columns tell of who defaults');
  await run('brief', 'alone', attributes.alone, 'job-2');
  stage.act('The joint model', 'on the customers of both banks, found by id first; fintech C deals random numbers');
  await run('job', 'joint', attributes.algorithm, 'job-3');

  const read = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(home.path('outputs', ...path), 'utf8'));
  const scorecard = (await read('job-2', 'bank-a-card-customers-and-their-defaults', 'scorecard.json')) as Scorecard;
  const metrics = (await read('job-3', 'bank-a-customers', 'metrics.json')) as Metrics;
  const { auc: alone } = scorecard.evaluation;
  const signer = await openSigner(home, { key: 'fintech' }, { interactive: false, warn: () => undefined });
  const connected = await connectSigner(home, {}, signer, () => undefined);
  try {
    const context = { ...connected, signer, now: () => new Date(), onProgress: () => undefined };
    const { shares, algorithm: helped } = await jobStatus(context, { job: JOINT });
    const owned = shares.map(({ token }) => token).filter((token) => token !== helped);
    const helpers = shares.filter(({ token }) => token === helped).map(({ owner }) => owner);
    await awaitReports(context, JOINT, { tokens: owned, helpers }, ANCHORED_MS);
    return {
      auc: { alone, joint: metrics.auc, difference: metrics.auc - alone },
      rows: { alone: { test: scorecard.rows.test }, train: metrics.rows.train, test: metrics.rows.test },
      join: {
        a: metrics.join.ids.own,
        b: metrics.join.ids.peer,
        common: metrics.join.rows,
        protocol: metrics.join.protocol,
        ms: Math.round(1000 * metrics.join.seconds),
      },
      columns,
      steps: metrics.steps,
      rounds: metrics.rounds,
      trainMs: metrics.train_ms,
      job: JOINT,
      evidence: await jointEvidence(context, JOINT),
    };
  } finally {
    disconnect(connected);
  }
}

interface Scorecard {
  readonly rows: { readonly test: number };
  readonly evaluation: { readonly auc: number };
}

interface Metrics {
  readonly rows: { readonly train: number; readonly test: number };
  readonly join: {
    readonly ids: { readonly own: number; readonly peer: number };
    readonly rows: number;
    readonly protocol: string;
    readonly seconds: number;
  };
  readonly auc: number;
  readonly steps: number;
  readonly rounds: number;
  readonly train_ms: number;
}
