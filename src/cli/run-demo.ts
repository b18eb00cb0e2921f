import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import chalk from 'chalk';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore } from '../keys/keystore.js';
import type { SandboxLevel } from '../sandbox/sandbox.js';
import { type ChildProgram, startProgram } from './child-program.js';
import { prepareDemo } from './demo-data.js';
import { Home } from './home.js';
import { initDaemon } from './init-daemon.js';
import { untilStopped } from './until-stopped.js';

export interface DemoParameters {
  /** Of the package: bin/ and samples/ lie in it. */
  readonly root: string;
  /** Wiped at the start; home folder of everything in the demo. */
  readonly home: string;
  readonly data: string | undefined;
  readonly keep: boolean;
  readonly sandbox: SandboxLevel | undefined;
  /** Runs one command of this program. */
  readonly dt: (...argv: string[]) => Promise<void>;
  readonly say: (text: string) => void;
}

const PASSWORD = 'demo';

/** The README's walk with everything on one machine: the same commands, on real processes. */
export async function runDemo(parameters: DemoParameters): Promise<{ home: string; outputs: string; seconds: number }> {
  const { root, home, say } = parameters;
  const started = performance.now();
  const programs: ChildProgram[] = [];
  const folder = new Home(home);
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { recursive: true, mode: 0o700 });
  Object.assign(process.env, { DT_HOME: home, DT_PASSWORD: PASSWORD, DT_HINTS: 'off' });
  const samples = join(root, 'samples');
  const shown = (word: string): string => (/^[\w./:@=-]+$/.test(word) ? word : `'${word}'`);
  const expecting = async (expected: number, ...argv: string[]): Promise<void> => {
    say(chalk.dim(`$ dt ${argv.map((word) => shown(word.replace(`${root}/`, '').replace(`${home}/`, '$DT_HOME/'))).join(' ')}`));
    await parameters.dt(...argv);
    const { exitCode } = process;
    process.exitCode = undefined;
    if (Number(exitCode ?? 0) !== expected)
      throw new ToolkitError('DT_DEMO_STEP', { command: `dt ${argv.join(' ')}`, code: exitCode ?? 0, home });
  };
  const dt = (...argv: string[]): Promise<void> => expecting(0, ...argv);
  const start = async (what: string, ready: RegExp, ...argv: string[]): Promise<void> => {
    say(chalk.dim(`$ dt ${argv.map((word) => shown(word.replace(`${home}/`, '$DT_HOME/'))).join(' ')} &`));
    programs.push(await startProgram(join(root, 'bin', 'run.js'), argv, ready, join(home, `${what}.log`), process.env));
  };
  const act = (title: string, text: string): void => say(`\n${chalk.bold.cyan(title)}  ${chalk.dim(text)}`);

  try {
    act('Keys and chain', 'four organizations, and an embedded chain that keeps what it acknowledged');
    const files = await prepareDemo(samples, home, parameters.data);
    for (const name of ['system', 'bank-a', 'bank-b', 'fintech']) await dt('key', 'create', '--name', name);
    await start('chain', /Contracts deployed/, 'chain', 'start', '--port', '0');
    const address = (name: string): Promise<string> => new Keystore(folder.path('keystore')).addressOf(name);

    act('The banks', 'each runs a tracer daemon next to its data');
    for (const bank of ['bank-a', 'bank-b']) {
      const config = join(home, bank, 'daemon.yaml');
      const common = { config, key: bank, port: 0, linkPort: 0, host: '127.0.0.1', data: [join(home, bank, 'data')], force: true };
      await initDaemon(folder, { ...common, sandbox: parameters.sandbox });
      await start(bank, /Daemon of 0x/, 'daemon', 'run', '--config', config);
      const line = await readFile(join(home, `${bank}.log`), 'utf8');
      say(`  ${/Daemon of .*/.exec(line)?.[0] ?? ''}`);
    }
    const urlOf = async (bank: string): Promise<string> =>
      /at (https?:\S+),/.exec(await readFile(join(home, `${bank}.log`), 'utf8'))?.[1] ?? '';

    act('The system administrator', 'registers the organizations and publishes the operators that they may trust');
    await dt(
      'system',
      'org',
      '--name',
      'Bank A',
      '--desc',
      'card customers',
      '--address',
      await address('bank-a'),
      '--url',
      await urlOf('bank-a'),
      '--key',
      'system',
    );
    await dt(
      'system',
      'org',
      '--name',
      'Bank B',
      '--desc',
      'deposits',
      '--address',
      await address('bank-b'),
      '--url',
      await urlOf('bank-b'),
      '--key',
      'system',
    );
    await dt('system', 'org', '--name', 'Fintech C', '--desc', 'risk models', '--address', await address('fintech'), '--key', 'system');
    const before = process.cwd();
    process.chdir(root);
    try {
      await dt('system', 'op', '--attr-file', 'samples/op/scorecard_attr.json', '--as', 'scorecard', '--key', 'system');
      await dt('system', 'op', '--attr-file', 'samples/op/profile_attr.json', '--as', 'profile', '--key', 'system');
    } finally {
      process.chdir(before);
    }

    act('The data owners', 'mint data tokens that say which operators may run, and with which parameters');
    const { attributes } = files;
    await dt('asset', 'dt', '--attr-file', attributes.bankA, '--store-path', files.bankA, '--as', 'bank-a', '--key', 'bank-a');
    await dt('asset', 'dt', '--attr-file', attributes.bankB, '--store-path', files.bankB, '--as', 'bank-b', '--key', 'bank-b');

    act('Fintech C', 'composes an algorithm, opens a task and runs it where the data is');
    await dt('asset', 'cdt', '--attr-file', attributes.algorithm, '--as', 'risk-model', '--key', 'fintech');
    await dt('job', 'init', '--name', 'risk', '--desc', 'who will default', '--key', 'fintech');
    const outputs = join(home, 'outputs');
    await dt('job', 'exec', '--task-id', '1', '--cdt', '@risk-model', '--wait', '--outputs', outputs, '--key', 'fintech');
    for (const report of await textReports(outputs)) say(`\n${report}`);

    act('A request too many', 'the same algorithm, but with groups smaller than Bank B allows: nothing is minted');
    const REFUSED = 5;
    await expecting(REFUSED, 'asset', 'cdt', '--attr-file', await greedy(home, attributes.algorithm), '--key', 'fintech');

    act('The regulator', "follows Bank A's token from grant to job");
    await dt('tracer', 'dfs', '--prefix-path', '@bank-a');

    const seconds = Math.round((performance.now() - started) / 100) / 10;
    say(`\n${chalk.green('✓')} Done in ${seconds} s. No row left its bank: the outputs above are all that was released, in ${outputs}`);
    if (parameters.keep) {
      say(
        `\nChain and daemons keep running. In another terminal:\n  export DT_HOME=${home} DT_PASSWORD=${PASSWORD}\n  alias dt='node ${join(root, 'bin', 'run.js')}'`,
      );
      say(
        '  dt asset show --dt @bank-a\n  dt asset check --cdt @risk-model\n  dt job list --key fintech\n  dt asset revoke --dt @bank-a --cdt @risk-model --key bank-a',
      );
      say('Stop with ctrl-c.');
      await untilStopped();
    } else say('Next: `npm start -- --keep` leaves everything running; README.md takes the same way command by command.');
    return { home, outputs, seconds };
  } finally {
    await Promise.all(programs.reverse().map((program) => program.stop()));
  }
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
  const width = process.stdout.columns ?? 160;
  const shown = lines.slice(0, 20).map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
  return lines.length > 20 ? `${shown.join('\n')}\n${chalk.dim(`… ${lines.length - 20} more lines`)}` : shown.join('\n');
}
