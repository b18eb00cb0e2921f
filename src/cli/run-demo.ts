import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import chalk from 'chalk';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore } from '../keys/keystore.js';
import type { SandboxLevel } from '../sandbox/sandbox.js';
import { type DaemonUrls, prepareDemo } from './demo-data.js';
import { takeDemoFolder } from './demo-folder.js';
import { type JointFigures, mintJoint, runJoint } from './demo-joint.js';
import { createStage, type Stage, type StageParameters } from './demo-stage.js';
import { Home } from './home.js';
import { initDaemon } from './init-daemon.js';
import { renderJoint } from './render-joint.js';
import { untilStopped } from './until-stopped.js';

export interface DemoParameters extends StageParameters {
  readonly data: string | undefined;
  readonly keep: boolean;
  readonly sandbox: SandboxLevel | undefined;
}

export interface DemoResult {
  readonly home: string;
  /** What the jobs released: a folder a job. */
  readonly outputs: string;
  readonly seconds: number;
  /** Or why there could be no joint model of this data. */
  readonly joint: JointFigures | { readonly missing: string };
}

const PASSWORD = 'demo';

/**
 * The README's walk with everything on one machine: the same commands, on real processes. `home` is wiped at the start; everything in the
 * demo lies in it. @throws DT_DEMO_BUSY, DT_DEMO_STEP, DT_DEMO_CHILD, DT_INPUT_*
 */
export async function runDemo(parameters: DemoParameters): Promise<DemoResult> {
  const { root, home, say } = parameters;
  const started = performance.now();
  const folder = new Home(home);
  const unlock = await takeDemoFolder(home);
  Object.assign(process.env, { DT_HOME: home, DT_PASSWORD: PASSWORD, DT_HINTS: 'off' });
  const stage = createStage(parameters);
  try {
    stage.act('Keys and chain', 'four organizations, and an embedded chain');
    const files = await prepareDemo(join(root, 'samples'), home, parameters.data);
    for (const name of ['system', 'bank-a', 'bank-b', 'fintech']) await stage.brief('key', 'create', '--name', name);
    await stage.start('chain', /Contracts deployed/, 'chain', 'start', '--port', '0');

    stage.act('The daemons', "each bank's next to its data, and fintech C's, which has no data");
    const urls = await startDaemons(stage, folder, parameters.sandbox);

    stage.act('The system administrator', 'registers organizations, and publishes operators to trust');
    await register(stage, folder, urls);
    await publish(stage, root);

    stage.act('The data owners', 'say in tokens which operators may run, and with what');
    const { attributes } = files;
    await stage.dt(['asset', 'dt', '--attr-file', attributes.bankA, '--store-path', files.bankA, '--as', 'bank-a', '--key', 'bank-a']);
    await stage.brief('asset', 'dt', '--attr-file', attributes.bankB, '--store-path', files.bankB, '--as', 'bank-b', '--key', 'bank-b');
    const joint = 'missing' in files.joint ? undefined : { ...files.joint, attributes: await files.joint.attributesFor(urls) };
    if (joint !== undefined) await mintJoint(stage, joint);

    stage.act('Fintech C', 'composes an algorithm, and runs it where the data is');
    await stage.dt(['asset', 'cdt', '--attr-file', attributes.algorithm, '--as', 'risk-model', '--key', 'fintech']);
    await stage.brief('job', 'init', '--name', 'risk', '--desc', 'who will default', '--key', 'fintech');
    const released = folder.path('outputs', 'job-1');
    await stage.job('job', 'exec', '--task-id', '1', '--cdt', '@risk-model', '--outputs', released, '--key', 'fintech');
    for (const report of await textReports(released)) say(`\n${report}`);

    stage.act('A request too many', 'groups smaller than Bank B allows: nothing is minted');
    const REFUSED = 5;
    await stage.dt(['asset', 'cdt', '--attr-file', await greedy(home, attributes.algorithm), '--key', 'fintech'], REFUSED);

    const figures = joint && (await runJoint(stage, folder, joint));

    stage.act('The regulator', 'follows tokens and jobs with the chain alone');
    await stage.dt(['tracer', 'dfs', '--prefix-path', '@bank-a']);
    if (figures !== undefined) await stage.dt(['tracer', 'job', `${figures.job}`]);

    if (figures !== undefined) {
      stage.act('Two banks, one model', 'what bank A knows alone, and what both know together');
      say(`\n${renderJoint(figures)}`);
    } else if ('missing' in files.joint) say(`\n${chalk.yellow('!')} No joint model of this data: ${files.joint.missing}.`);

    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const outputs = folder.path('outputs');
    say(`\n${chalk.green('✓')} Done in ${seconds} s. All that was released is in ${outputs}`);
    if (parameters.keep) await keepRunning(parameters);
    else say('Next: `npm start -- --keep` leaves everything running; README.md takes the same way command by command.');
    return { home, outputs, seconds, joint: figures ?? { missing: 'missing' in files.joint ? files.joint.missing : '' } };
  } finally {
    await stage.stop();
    unlock();
  }
}

/** @returns where each can be called */
async function startDaemons(stage: Stage, folder: Home, sandbox: SandboxLevel | undefined): Promise<DaemonUrls> {
  const start = async (name: string, data: readonly string[]): Promise<string> => {
    const config = folder.path(name, 'daemon.yaml');
    await initDaemon(folder, { config, key: name, port: 0, linkPort: 0, host: '127.0.0.1', data, force: true, sandbox });
    const [said, url] = await stage.start(name, /at (https?:\S+), .*(?=\n)/, 'daemon', 'run', '--config', config);
    stage.say(`  ${name} ${said}`);
    if (url === undefined) throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: `the daemon of ${name} said no URL: ${said}` });
    return url;
  };
  const [bankA = '', bankB = '', dealer = ''] = await Promise.all([
    start('bank-a', [folder.path('bank-a', 'data')]),
    start('bank-b', [folder.path('bank-b', 'data')]),
    start('fintech', []),
  ]);
  return { bankA, bankB, dealer };
}

async function register(stage: Stage, folder: Home, urls: DaemonUrls): Promise<void> {
  const keys = new Keystore(folder.path('keystore'));
  for (const [name, desc, key, url] of [
    ['Bank A', 'card customers', 'bank-a', urls.bankA],
    ['Bank B', 'deposits', 'bank-b', urls.bankB],
    ['Fintech C', 'risk models', 'fintech', urls.dealer],
  ] as const) {
    const address = await keys.addressOf(key);
    await stage.brief('system', 'org', '--name', name, '--desc', desc, '--address', address, '--url', url, '--key', 'system');
  }
}

/** Paths in attribute files of operators start at the working directory. */
async function publish(stage: Stage, root: string): Promise<void> {
  const before = process.cwd();
  process.chdir(root);
  try {
    for (const name of ['scorecard', 'profile', 'vertical_lr'])
      await stage.brief('system', 'op', '--attr-file', `samples/op/${name}_attr.json`, '--as', name.replace('_', '-'), '--key', 'system');
  } finally {
    process.chdir(before);
  }
}

async function keepRunning({ say, home, root }: DemoParameters): Promise<void> {
  say('\nChain and daemons keep running. In another terminal:');
  say(`  export DT_HOME=${home} DT_PASSWORD=${PASSWORD}\n  alias dt='node ${join(root, 'bin', 'run.js')}'`);
  say('  dt asset show --dt @bank-a\n  dt asset check --cdt @risk-model\n  dt job list --key fintech\n  dt job logs 3 --key fintech');
  say('  dt daemon login --key bank-a   # the page of its daemon');
  say('  dt asset revoke --dt @bank-a --cdt @risk-model --key bank-a');
  say('Stop with ctrl-c.');
  await untilStopped();
}

/** The algorithm's file with a smaller minimum group for Bank B. */
async function greedy(home: string, file: string): Promise<string> {
  const attributes = JSON.parse(await readFile(file, 'utf8'), (key, value) => (key === 'min_group' && value === 20 ? 2 : value)) as unknown;
  const changed = join(home, 'attributes', 'greedy_attr.json');
  await writeFile(changed, JSON.stringify(attributes, null, 2));
  return changed;
}

/** The readable parts of what came back. */
async function textReports(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  const texts = names.filter((name) => name.endsWith('.txt')).sort();
  return Promise.all(texts.map(async (name) => `${chalk.bold(name)}\n${beginning(await readFile(join(folder, name), 'utf8'))}`));
}

/** As much as fits on a screen beside the rest. */
function beginning(text: string): string {
  const lines = text.trimEnd().split('\n');
  const width = process.stdout.columns || 160; // some terminals say 0
  const shown = lines.slice(0, LINES).map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
  return lines.length > LINES ? `${shown.join('\n')}\n${chalk.dim(`… ${lines.length - LINES} more lines`)}` : shown.join('\n');
}

const LINES = 18;
