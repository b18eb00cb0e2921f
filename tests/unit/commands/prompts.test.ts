import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeAsset } from '../../../src/actions/asset/compose-asset.js';
import { Keystore } from '../../../src/keys/keystore.js';
import { type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from '../../support/world.js';
import { homeIn, jsonDt } from './dt-program.js';

const program = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));
const hasScript = spawnSync('script', ['--version']).status === 0;

interface Terminal {
  /** Waits until the screen has shown this since the last answer, then types. */
  answer(question: RegExp, keys: string): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly screen: string }>;
}

/** The program on a terminal of 120 columns, which util-linux' `script` gives it. */
function onTerminal(argv: string, home: string, env: Record<string, string>): Terminal {
  const child = spawn('script', ['-qefc', `stty cols 120 rows 40; exec ${process.execPath} ${program} ${argv}`, '/dev/null'], {
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, DT_HOME: home, TERM: 'xterm', ...env },
  });
  let screen = '';
  let seen = 0;
  let look: (() => void) | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString('utf8');
    look?.();
  });
  const ended = new Promise<{ code: number | null; screen: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, screen: stripVTControlCharacters(screen) })),
  );
  return {
    ended,
    answer: (question, keys) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (!question.test(stripVTControlCharacters(screen.slice(seen)))) return;
          look = undefined;
          seen = screen.length;
          child.stdin.write(keys);
          resolve();
        };
        void ended.then(({ screen: all }) => reject(new Error(`it ended before it asked ${question}:\n${all}`)));
        look();
      }),
  };
}

describe.skipIf(!hasScript)('on a terminal, what was left out is asked for', () => {
  let world: World;
  let bank: BankRole;
  let third: Role;
  let home: string;

  beforeAll(async () => {
    world = await createWorld();
    [bank, third] = [await world.bank('Bank A'), await world.role('Fintech')];
    home = await homeIn(world, 'prompts');
  });
  afterAll(() => world.close());

  it('key create: the name, and the password twice until both are the same', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'dt-prompt-'));
    const terminal = onTerminal('key create', empty, {});
    await terminal.answer(/Name of the key/, 'mine\r');
    await terminal.answer(/Password for key mine/, 'secret\r');
    await terminal.answer(/Once more/, 'other\r');
    await terminal.answer(/It is not the same/, '\u0015secret\r');
    const { code, screen } = await terminal.ended;
    expect(code).toBe(0);
    expect(screen).toMatch(/✓ Key mine, the default, created: 0x[0-9a-f]{40}/);
    expect(screen).not.toContain('secret');
    expect((await jsonDt(['key', 'list'], { home: empty }))['keys']).toMatchObject([{ name: 'mine', isDefault: true }]);
    await rm(empty, { recursive: true });
  });

  it('job exec: tasks and algorithms of one key are offered to choose from; the private key is not shown', async () => {
    const operation = "import { writeFileSync } from 'node:fs'; writeFileSync('outputs/x', 'y');";
    const template = await publish(world, 'writer', operation, {});
    const services = [{ index: 'run', template, constraint: {}, path: './inputs/x.csv' }];
    const leaf = await mintLeaf(bank, { name: 'numbers', services, storePath: await bank.data('x.csv', 'id\n1\n') });
    const attributes = compositeAttributes('my algorithm', 'Algorithm', { [leaf]: { service: 'run', constraint: {} } });
    await composeAsset(third.context, { attributes });
    await third.context.ledger.createTask('first task', '');
    await third.context.ledger.createTask('second task', '');
    const terminal = onTerminal('job exec', home, {});
    // The newest comes first.
    await terminal.answer(/For which task\?[\s\S]*2 {2}second task[\s\S]*1 {2}first task/, '\u001b[B\r');
    await terminal.answer(/Which algorithm\?[\s\S]*my algorithm of Fintech {2}dt:ownership:/, '\r');
    await terminal.answer(/Private key/, `${third.wallet.privateKey}\r`);
    const { code, screen } = await terminal.ended;
    expect(code, screen).toBe(0);
    expect(screen).toMatch(/✓ Bank A: numbers: queued[\s\S]*Bank A │ succeeded[\s\S]*✓ Bank A {2}numbers/);
    expect(screen).not.toContain(third.wallet.privateKey.slice(2));
    expect((await jsonDt(['job', 'list'], { home }))['jobs']).toMatchObject([{ task: '1', taskName: 'first task' }]);
  });

  it('ctrl-c while a job is watched: says where it goes on and how to come back, ends with 130, and the job runs', async () => {
    const operation = "console.log('waiting'); setInterval(() => undefined, 1000);";
    const template = await publish(world, 'waiter', operation, {});
    const services = [{ index: 'run', template, constraint: {}, path: './inputs/y.csv' }];
    const leaf = await mintLeaf(bank, { name: 'letters', services, storePath: await bank.data('y.csv', 'id\n1\n') });
    const attributes = compositeAttributes('waits', 'Algorithm', { [leaf]: { service: 'run', constraint: {} } });
    const { dt } = await composeAsset(third.context, { attributes });
    const task = await third.context.ledger.createTask('waiting', '');
    const env = { DT_PASSWORD: 'secret' };
    await new Keystore(join(home, 'keystore')).import('third', third.wallet.privateKey, 'secret');
    const terminal = onTerminal(`job exec --task-id ${task} --cdt ${dt} --key third`, home, env);
    await terminal.answer(/Bank A │ waiting/, '\u0003');
    const { code, screen } = await terminal.ended;
    expect(code, screen).toBe(130);
    const job = /Job (\d+) goes on at one daemon\./.exec(screen)?.[1] ?? 'none';
    for (const command of [`logs ${job} --follow`, `outputs ${job} --out <folder>`, `cancel ${job}`])
      expect(screen).toContain(`dt job ${command} --key third`);
    expect(await jsonDt(['job', 'status', job, '--key', 'third'], { home, env })).toMatchObject({ shares: [{ state: 'running' }] });
    // The same while it is followed afterwards.
    const follower = onTerminal(`job logs ${job} --follow --key third`, home, env);
    await follower.answer(/Bank A │ waiting/, '\u0003');
    const followed = await follower.ended;
    expect(followed.code, followed.screen).toBe(130);
    expect(followed.screen).toContain(`Job ${job} goes on at one daemon.`);
    await jsonDt(['job', 'cancel', job, '--key', 'third'], { home, env });
  });

  it('ctrl-c at a question ends with 130 and writes nothing', async () => {
    const terminal = onTerminal('job init', home, {});
    await terminal.answer(/Name of the task/, '\u0003');
    const { code, screen } = await terminal.ended;
    expect(code).toBe(130);
    expect(screen).not.toMatch(/Error|DT_/);
  });

  it('draws what works and what failed', async () => {
    const terminal = onTerminal(`system org --name x --address ${third.address}`, home, { DT_PRIVATE_KEY: third.wallet.privateKey });
    const { code, screen } = await terminal.ended;
    expect(code).toBe(6);
    expect(screen).toMatch(
      /✗ The chain refused: .*DT_CHAIN_REVERTED\r?\n {2}→ Sign with the administrator's key \(`--key …`\), or ask the system administrator/,
    );
  });
});

if (!hasScript)
  describe('on a terminal', () => {
    it.skip('SKIPPED: `script` of util-linux is not installed', () => undefined);
  });
