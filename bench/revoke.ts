import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ExecJobResult, execJob } from '../src/actions/job/exec-job.js';
import type { Party } from '../src/actions/job/job-parties.js';
import type { RunView } from '../src/peers/daemon-client.js';
import { deferred } from '../src/peers/link/deferred.js';
import { asProcess, createJointWorld, type JointWorld } from '../tests/support/joint-world.js';
import { type BankProcess, compositeAttributes, createWorld, mintLeaf, publish, type World } from '../tests/support/world.js';
import { type Bench, beyond, type Figures, round } from './bench.js';
import { compose } from './market.js';
import { median } from './statistics.js';

const LIMIT_MS = 1000;
/** Upper bound for a round, after which the bench gives up. */
const MOST_MS = 60_000;
/** How exactly the end of a process or a folder is told: neither tells of itself. */
const SAMPLE_MS = 2;
const FINAL = ['succeeded', 'failed', 'canceled', 'refused'];

/** Takes no notice of a SIGTERM, as an operator may. */
const DEAF = `process.on('SIGTERM', () => {});\n`;
const ALONE = `${DEAF}console.log('ready'); setInterval(() => {}, 1000);`;
const JOINT = `import { runOperator } from 'compute-to-data/privacy';
${DEAF}await runOperator(async (session) => {
  const peers = session.seats.filter((seat) => seat.seat !== session.seat).map((seat) => session.channel(seat.seat));
  for (let round = 0; ; round++) {
    try {
      await Promise.all(peers.map((peer) => peer.send(new Uint8Array(1000))));
      for (const peer of peers) await peer.receive();
    } catch {} // its peers are gone, and it goes on
    if (round === 0) console.log('ready');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});`;

/** From the receipt of the revocation to the last party's end of each kind. */
interface Ends {
  readonly stateMs: number;
  readonly processMs: number;
  readonly inputsMs: number;
}

interface Share {
  readonly bank: BankProcess;
  readonly party: Party;
  readonly run: RunView;
}

export const revoke: Bench = {
  name: 'revoke',
  about: 'from the receipt of a revoked grant to the end of a running job at every party, alone and joint',
  async run({ rounds = 10 }) {
    const alone = await measureAlone(rounds);
    const joint = await measureJoint(Math.max(1, Math.ceil(rounds / 2)));
    const worst = (ends: readonly Ends[]): number => Math.max(...ends.flatMap((each) => Object.values(each)));
    return {
      figures: { rounds, aloneMs: figuresOf(alone), jointMs: figuresOf(joint) },
      ratios: {
        aloneWorstToLimit: round(worst(alone) / LIMIT_MS),
        jointWorstToLimit: round(worst(joint) / LIMIT_MS),
        limitMs: LIMIT_MS,
      },
      broken: [
        ...beyond('the slowest end of a job alone, in milliseconds', worst(alone), LIMIT_MS),
        ...beyond('the slowest end of a joint job, in milliseconds', worst(joint), LIMIT_MS),
      ],
    };
  },
};

function figuresOf(ends: readonly Ends[]): Figures {
  const of = (key: keyof Ends): Figures => {
    const values = ends.map((each) => each[key]);
    return { median: round(median(values)), worst: round(Math.max(...values)) };
  };
  return { state: of('stateMs'), process: of('processMs'), inputs: of('inputsMs') };
}

async function measureAlone(rounds: number): Promise<readonly Ends[]> {
  const world: World = await createWorld();
  try {
    const bank = await world.bankProcess('Bank');
    const client = await world.role('Fintech');
    const template = await publish(world, 'waits', ALONE, { copy: {} });
    const storePath = await bank.data('a.csv', 'id\n1\n');
    const leaf = await mintLeaf(bank, { name: 'a', services: [{ index: 'run', template, constraint: { copy: {} } }], storePath });
    const task = await client.context.ledger.createTask('bench', 'revoked');
    const ends: Ends[] = [];
    for (let copy = 0; copy < rounds; copy++) {
      const workflow = { [leaf]: { service: 'run', constraint: { copy } } };
      const algorithm = await compose(client, compositeAttributes(`waits ${copy}`, 'Algorithm', workflow));
      const shares = sharesOf(await execJob(client.context, { task, algorithm, wait: false }), [bank]);
      ends.push(await measure(shares, () => bank.context.ledger.revoke(leaf, algorithm)));
    }
    return ends;
  } finally {
    await world.close();
  }
}

async function measureJoint(rounds: number): Promise<readonly Ends[]> {
  const joint: JointWorld<BankProcess> = await createJointWorld(asProcess, {}, { code: JOINT });
  try {
    const { a, b, c, tokens, task } = joint;
    const ends: Ends[] = [];
    for (let copy = 0; copy < rounds; copy++) {
      const algorithm = await joint.algorithm({ copy });
      const shares = sharesOf(await execJob(c.context, { task, algorithm, wait: false }), [a, b, c]);
      ends.push(await measure(shares, () => b.context.ledger.revoke(tokens.b1, algorithm)));
    }
    return ends;
  } finally {
    await joint.close();
  }
}

const sharesOf = ({ shares }: ExecJobResult, banks: readonly BankProcess[]): readonly Share[] =>
  shares.map(({ party, run, problem }) => {
    const bank = banks.find(({ address }) => address === party.owner);
    if (run === undefined || bank === undefined) throw problem ?? new Error(`no run at ${party.ownerName}`);
    return { bank, party, run };
  });

async function measure(shares: readonly Share[], revokeGrant: () => Promise<unknown>): Promise<Ends> {
  const streams = shares.map(follow);
  const banks = [...new Set(shares.map(({ bank }) => bank))];
  // The run of a party that has several has one operator, whose lines it gets.
  await Promise.all(banks.map((bank) => Promise.race(streams.flatMap(({ ready }, i) => (shares[i]?.bank === bank ? [ready] : [])))));
  const operators = banks.flatMap((bank) => operatorsBelow(bank.pid()));
  const inputs = shares.map(({ bank, run }) => join(bank.folder, 'jobs', run.id, 'inputs')).filter((folder) => existsSync(folder));
  if (operators.length < banks.length || inputs.length === 0) throw new Error('no operator runs on staged data');
  await revokeGrant();
  const from = performance.now();
  const since = (at: number): number => Math.max(0, at - from);
  const gone = async (paths: readonly string[]): Promise<number> => {
    while (paths.some((path) => existsSync(path))) {
      if (performance.now() - from > MOST_MS) throw new Error(`still there: ${paths.filter((path) => existsSync(path)).join(', ')}`);
      await delay(SAMPLE_MS);
    }
    return since(performance.now());
  };
  const [processMs, inputsMs, ...stateMs] = await Promise.all([
    gone(operators.map((pid) => `/proc/${pid}`)),
    gone(inputs),
    ...streams.map(async ({ ended }) => since(await ended)),
  ]);
  return { processMs, inputsMs, stateMs: Math.max(...stateMs) };
}

/** When its operator is at work, and when its final state is known here. */
function follow({ party, run }: Share): { readonly ready: Promise<void>; readonly ended: Promise<number> } {
  const ready = deferred<void>();
  const ended = (async (): Promise<number> => {
    for await (const event of party.client.events(run.id)) {
      if (event.event === 'log' && JSON.parse(event.data).text.includes('ready')) ready.resolve();
      if (event.event === 'state' && FINAL.includes(JSON.parse(event.data).state)) return performance.now();
    }
    throw new Error(`the run at ${party.ownerName} told no end`);
  })();
  ended.then(
    () => ready.reject(new Error(`the run at ${party.ownerName} ended before it was at work`)),
    (error: Error) => ready.reject(error),
  );
  ready.promise.catch(() => undefined);
  return { ready: ready.promise, ended };
}

/** Processes below a daemon that run an operator's file, whatever the sandbox has put between. */
function operatorsBelow(daemon: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const isBelow = (pid: number | undefined): boolean => pid !== undefined && pid > 0 && (pid === daemon || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(
    (pid) => pid !== daemon && isBelow(pid) && read(`/proc/${pid}/cmdline`).includes('operator/operator.mjs'),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}
