import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SimulatedShare, type Simulation, simulateJob } from '../../../src/actions/job/simulate-job.js';
import type { SimulatedInput } from '../../../src/actions/job/simulated-seats.js';
import { readSimulatedOperator } from '../../../src/cli/simulation-input.js';
import type { JsonObject } from '../../../src/documents/canonical.js';
import { jsonDt, runDt } from '../../unit/commands/dt-program.js';

const samples = resolve(import.meta.dirname, '../../../samples/op');
const secureSum = readFileSync(join(samples, 'secure_sum.mjs'), 'utf8');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dt-simulate-test-'));
  file('a.csv', 'id,amount\n1,10.5\n2,20\n');
  file('b.csv', 'amount,id\n100,1\n');
  file('c.csv', 'id,amount\n1,7\n2,8\n3,9.25\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const inputs = (...names: readonly string[]): readonly SimulatedInput[] =>
  names.map((name, i) => ({ number: String(i), path: join(folder, name) }));

const args: JsonObject = {
  party_id: 9,
  inputs: { '0': './inputs/a.csv', '1': './inputs/b.csv', '2': './inputs/c.csv' },
  exec_endpoints: { '0': 'Bank A', '1': 'Bank B', '2': 'Bank C' },
  model_args: { column: 'amount', allow_two: false },
  outputs: { '0': './outputs/sum.json', '2': './outputs/deep/sum.json' },
};

interface Run extends Simulation {
  readonly log: readonly string[];
  readonly of: (seat: number) => SimulatedShare;
}

async function simulate(
  operator: string,
  own: JsonObject = args,
  files: readonly SimulatedInput[] = inputs('a.csv', 'b.csv', 'c.csv'),
): Promise<Run> {
  const log: string[] = [];
  const onLog = (seat: string, stream: string, line: string): void => void log.push(`${seat} ${stream} ${line}`);
  const simulation = await simulateJob({
    operator: Buffer.from(operator),
    args: own,
    inputs: files,
    onLog,
    signal: new AbortController().signal,
  });
  return { ...simulation, log, of: (seat) => simulation.seats[seat] as SimulatedShare };
}

/** An operator whose seats do what is written for each; the rest is the same. */
const operator = (body: string): string =>
  `import { writeFileSync, writeSync } from 'node:fs';
import { readTable, runOperator, secureSum, sumDefaults, systemRandom, ToolkitError } from 'compute-to-data/privacy';
await runOperator(async (session) => { const { seat } = session;\n${body}\n});`;

const exits = (run: Run): readonly (number | null)[] => run.seats.map(({ exitCode }) => exitCode);
const leftovers = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('dt-simulate-') && !name.startsWith('dt-simulate-test-'));

describe('dt job simulate, with the secure sum', () => {
  it('gives every declared seat the result, as the program that users start', async () => {
    const argsFile = file('args.json', JSON.stringify(args));
    const out = join(folder, 'results');
    const argv = ['job', 'simulate', join(samples, 'secure_sum.mjs'), '--args', argsFile, '--outputs', out];
    const given = [
      '--input',
      `0=${join(folder, 'a.csv')}`,
      '--input',
      `1=${join(folder, 'b.csv')}`,
      '--input',
      `2=${join(folder, 'c.csv')}`,
    ];
    const result = (await jsonDt([...argv, ...given], { home: folder })) as unknown as Simulation;
    const expected = { column: 'amount', banks: 3, count: 6, sum: 154.75, mean: 154.75 / 6 };
    for (const name of ['seat-0/sum.json', 'seat-2/deep/sum.json'])
      expect(JSON.parse(readFileSync(join(out, name), 'utf8'))).toEqual(expected);
    expect(existsSync(join(out, 'seat-1'))).toBe(false);
    expect(result.seats.map(({ outputs }) => outputs.map(({ name }) => name))).toEqual([['sum.json'], [], ['deep/sum.json']]);
    for (const { seat, sent, exitCode, peakMemoryBytes, inputs: own } of result.seats) {
      expect([exitCode, own]).toEqual([0, [seat]]);
      expect(peakMemoryBytes).toBeGreaterThan(1 << 20);
      expect(sent.map(({ to }) => to)).toEqual(['0', '1', '2'].filter((to) => to !== seat));
      for (const { to, messages, arrived } of sent) expect([messages, arrived]).toEqual([to === '1' ? 3 : 4, true]);
    }
  });

  it('tells people what it is, whose line is whose, and a table', async () => {
    const argsFile = file('people.json', JSON.stringify(args));
    const given = [
      '--input',
      `0=${join(folder, 'a.csv')}`,
      '--input',
      `1=${join(folder, 'b.csv')}`,
      '--input',
      `2=${join(folder, 'c.csv')}`,
    ];
    const { code, stdout, stderr } = await runDt(['job', 'simulate', join(samples, 'secure_sum.mjs'), '--args', argsFile, ...given], {
      home: folder,
    });
    expect(code).toBe(0);
    expect(stderr).toMatch(/no sandbox, no chain, no constraints/);
    expect(stderr).toContain('seat 1 │ read 1 rows');
    expect(stdout).toMatch(/^seat +name +exit +sent to 0 +sent to 1 +sent to 2 +transcript +memory +time$/m);
    expect(stdout).toMatch(/^0 +Bank A +0 +\d+ B in 3 +\d+ B in 4 +agrees/m);
  });

  it('adds up what a bank has in two files, and a helper may have the result alone', async () => {
    const own = { ...args, exec_endpoints: { '0': 'A', '1': 'B', '3': 'fintech' }, outputs: { '3': './outputs/sum.json' } };
    const [a, b, c] = inputs('a.csv', 'b.csv', 'c.csv') as [SimulatedInput, SimulatedInput, SimulatedInput];
    const run = await simulate(secureSum, own, [a, b, { ...c, seat: '0' }]);
    expect(exits(run)).toEqual([0, 0, 0]);
    expect(run.log).toEqual(
      expect.arrayContaining(['0 stdout read 5 rows', '1 stdout read 1 rows', '3 stdout 6 rows of 2 banks: sum 154.75']),
    );
    expect(run.seats.map(({ outputs }) => outputs.length)).toEqual([0, 0, 1]);
  });

  it('refuses two banks of which one would learn the other, unless the arguments allow it', async () => {
    const two = { ...args, inputs: {}, exec_endpoints: { '0': 'A', '1': 'B' }, outputs: { '0': './outputs/sum.json' } };
    const refused = await simulate(secureSum, two, inputs('a.csv', 'b.csv'));
    expect(refused.of(0).cause).toMatchObject({ code: 'DT_INPUT_INVALID', message: expect.stringContaining('at least 3 are needed') });
    const allowed = await simulate(secureSum, { ...two, model_args: { column: 'amount', allow_two: true } }, inputs('a.csv', 'b.csv'));
    expect(exits(allowed)).toEqual([0, 0]);
  });
});

describe('data that cannot be used', () => {
  it.each<[string, string, RegExp]>([
    ['a missing column', 'id,betrag\n1,2\n', /^Column amount cannot be used: it is not among the 2 columns of bad\.csv$/],
    ['NaN', 'id,amount\n1,2\n2,NaN\n', /^Column amount .*row 2 \(line 3 of bad\.csv\) is NaN$/],
    ['an infinite value', 'id,amount\n1,-inf\n', /^Column amount .*row 1 \(line 2 of bad\.csv\) is infinite$/],
    ['text', 'id,amount\n1,SECRET-77\n', /^Column amount .*row 1 \(line 2 of bad\.csv\) is no number$/],
    ['an empty cell', 'id,amount\n1,\n', /^Column amount .*row 1 \(line 2 of bad\.csv\) is empty$/],
    ['a value beyond the range', 'id,amount\n1,7777777e12\n', /^The own value "sum of amount" is not valid: it is beyond \+-1099511627776/],
    ['a broken file', 'id,amount\n1,2,SECRET-77\n', /^bad\.csv is not valid at line 2: it has 3 fields, the header has 2$/],
  ])('%s ends every seat with the cause, which holds no cell', async (_, text, words) => {
    file('bad.csv', text);
    const own = { ...args, inputs: { ...(args['inputs'] as JsonObject), '1': './inputs/bad.csv' } };
    const run = await simulate(secureSum, own, inputs('a.csv', 'bad.csv', 'c.csv'));
    expect(exits(run)).toEqual([1, 1, 1]);
    const cause = run.of(1).cause;
    expect(cause?.message).toMatch(words);
    // One may hear it from the other.
    for (const seat of [0, 2])
      expect(run.of(seat).cause).toEqual({
        code: 'DT_PEER_ABORTED',
        message: expect.stringContaining(`Bank B (seat 1) ended the computation: ${cause?.message}`),
      });
    expect(run.log.join('\n')).not.toMatch(/SECRET|7777777/);
    expect(run.error).toMatchObject({ code: 'DT_JOB_SIMULATION_FAILED', details: { seat: '1' } });
    expect(run.seats.every(({ outputs }) => outputs.length === 0)).toBe(true);
  });
});

describe('peers that fail', () => {
  it('that die mid-way are named by all others', async () => {
    const run = await simulate(
      operator(`if (seat === '1') { await session.channel(0).send(Buffer.from('half')); process.kill(process.pid, 'SIGKILL'); }
      if (seat === '0') await session.channel(1).receive();
      await session.channel(1).receive();`),
    );
    expect(run.of(1)).toMatchObject({ exitCode: null, exitSignal: 'SIGKILL' });
    for (const seat of [0, 2])
      expect(run.of(seat).cause).toMatchObject({ code: 'DT_PEER_GONE', message: expect.stringMatching(/^Bank B \(seat 1\) left before/) });
    expect(run.error?.details).toMatchObject({ seat: '1', exit: 'signal SIGKILL' });
  });

  it('that die in the middle of a secure sum end it everywhere, and nothing is written', async () => {
    const dying = secureSum.replace(
      'systemRandom());',
      "session.seat === '2' ? { bytes: () => process.kill(process.pid, 'SIGKILL') } : systemRandom());",
    );
    expect(dying).not.toBe(secureSum);
    const run = await simulate(dying);
    expect(exits(run)).toEqual([1, 1, null]);
    // Whoever hears of it first tells the other.
    for (const seat of [0, 1]) expect(run.of(seat).cause?.message).toMatch(/Bank C \(seat 2\) left before the computation was over/);
    expect(run.seats.flatMap(({ outputs }) => outputs)).toEqual([]);
  });

  it('that run other parameters: the difference is named on both sides', async () => {
    const run = await simulate(secureSum.replace('allowTwo,', "allowTwo,\n    ...(session.seat === '2' && { fractionBits: 12 }),"));
    expect(exits(run)).toEqual([1, 1, 1]);
    const causes = run.seats.map(({ cause }) => cause);
    for (const cause of causes) expect(cause?.message).toMatch(/fractionBits is (12|16) here and (16|12) at Bank/);
    expect(causes.some((cause) => cause?.code === 'DT_PEER_TERMS')).toBe(true);
  });

  it('that run another protocol', async () => {
    const other = secureSum.replace(
      'const result = await',
      'if (session.seat === \'1\') await session.channel(\'0\').send(Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from(\'{"protocol":"psi","version":3}\')]));\n  const result = await',
    );
    const run = await simulate(other);
    expect(run.of(0).cause?.message).toMatch(/protocol is "secure-sum" here and "psi" at Bank B \(seat 1\)|broke the protocol/);
    expect(exits(run)).toEqual([1, 1, 1]);
  });

  it('that write garbage on the channel are named', async () => {
    const run = await simulate(
      operator(`if (seat === '2') for (const fd of [4, 5]) writeSync(fd, 'GET / HTTP/1.1\\r\\n\\r\\n');
      else await session.channel(2).receive();`),
    );
    for (const seat of [0, 1])
      expect(run.of(seat).cause).toMatchObject({
        code: 'DT_PEER_PROTOCOL',
        message: expect.stringMatching(/^Bank C \(seat 2\) broke the protocol/),
      });
    expect(run.error?.details).not.toMatchObject({ seat: '2' });
  });

  it('cannot write to the terminals of others', async () => {
    const run = await simulate(
      operator(`if (seat === '1') throw new ToolkitError('DT_INPUT_INVALID', { what: 'x', reason: 'red \\u001b[31m\\u202e alert\\r\\n' });
      await session.channel(1).receive();`),
    );
    expect(run.of(0).cause?.message).toContain('red  [31m  alert');
    expect(/[\p{Cc}\p{Cf}]/u.test(run.log.join(''))).toBe(false);
  });
});

describe('operators that fail', () => {
  it('by a bug: the stack is in the own log, and the peers learn nothing of what it says', async () => {
    const run = await simulate(operator(`if (seat === '0') JSON.parse('SECRET-12'); await session.channel(0).receive();`));
    expect(run.of(0).cause).toMatchObject({ code: 'DT_BUG_UNEXPECTED', message: expect.stringContaining('SECRET-12') });
    expect(run.log.some((line) => /^0 stderr {5}at .*operator\.mjs/.test(line))).toBe(true);
    expect(run.of(1).cause?.message).toBe('Bank A (seat 0) ended the computation: it failed unexpectedly; its own log says why');
    expect(run.log.filter((line) => !line.startsWith('0')).join()).not.toContain('SECRET');
  });

  it('by a rejection that nobody awaits', async () => {
    const run = await simulate(
      operator(`if (seat === '0') { Promise.reject(new ToolkitError('DT_INPUT_INVALID', { what: 'it', reason: 'lost' })); await new Promise(() => setInterval(() => {}, 1000)); }
      await session.channel(0).receive();`),
    );
    expect(exits(run)).toEqual([1, 1, 1]);
    expect(run.of(1).cause?.message).toContain('it is not valid: lost');
  });

  it('without a stack where the error is one of the table', async () => {
    const run = await simulate(operator(`session.input('5');`));
    expect(run.of(0).cause).toEqual({ code: 'DT_INPUT_MISSING', message: 'Input 5 of seat 0, which has 0, is missing.' });
    expect(run.log.filter((line) => line.startsWith('0 stderr'))).toHaveLength(2);
  });

  it('before they start', async () => {
    const run = await simulate(`import 'compute-to-data/nothing';`);
    expect(exits(run)).toEqual([1, 1, 1]);
    expect(run.of(0).cause?.message).toMatch(/^Error.*ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it('or never end are ended, and say so to their peers', async () => {
    const controller = new AbortController();
    const log: string[] = [];
    const simulation = await simulateJob({
      operator: Buffer.from(
        operator(
          `if (seat !== '0') { await session.channel(0).send(Buffer.from('here')); await session.channel(0).receive(); }
          for (const other of [1, 2]) await session.channel(other).receive();
          console.log('waiting');
          await new Promise(() => setInterval(() => {}, 1000));`,
        ),
      ),
      ...{ args, inputs: inputs('a.csv', 'b.csv', 'c.csv'), signal: controller.signal },
      onLog: (_, __, line) => {
        log.push(line);
        if (line === 'waiting') controller.abort();
      },
    });
    expect(simulation.seats.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1]);
    expect(log.some((line) => line.startsWith('DT_JOB_ENDED'))).toBe(true);
  });

  it('leave nothing behind', async () => {
    const before = leftovers();
    await simulate(operator(''));
    expect(leftovers().filter((name) => !before.includes(name) && existsSync(join(tmpdir(), name, 'seat-0', 'args.json')))).toEqual([]);
  });
});

describe('what an operator is given', () => {
  it('is what the daemon gives: joint.json, its own arguments, its inputs, and nothing of the environment', async () => {
    const run = await simulate(
      operator(`const { readFileSync } = await import('node:fs');
      console.log(JSON.stringify({ joint: JSON.parse(readFileSync('joint.json')), args: session.args, env: process.env, own: Object.keys(JSON.parse(readFileSync('joint.json')).inputs).map((n) => [session.input(n), readFileSync(session.input(n), 'utf8').split('\\n')[0]]) }));`),
      { ...args, exec_endpoints: { '0': 'A\u001b[2J', '1': '127.0.0.1:8912', '2': {} } },
      [...inputs('a.csv', 'b.csv'), { number: '2', seat: '0', path: join(folder, 'c.csv') }],
    );
    expect(exits(run)).toEqual([0, 0, 0]);
    const [a, b, helper] = ['0', '1', '2'].map((seat) => JSON.parse(run.log.find((line) => line.startsWith(`${seat} `))?.slice(9) ?? '{}'));
    expect(a.own).toEqual([
      ['inputs/a.csv', 'id,amount'],
      ['inputs/c.csv', 'id,amount'],
    ]);
    expect(a.joint).toMatchObject({ seat: '0', peers: ['1', '2'], inputs: { '0': 'inputs/a.csv', '2': 'inputs/c.csv' } });
    expect(a.joint.seats.map(({ inputs: own }: { inputs: unknown }) => own)).toEqual([['0', '2'], ['1'], []]);
    expect(a.joint.seats[0].name).toBe('A [2J');
    expect([a, b, helper].map(({ args: own }) => own.party_id)).toEqual([0, 1, 2]);
    expect(new Set([a, b, helper].map(({ joint }) => joint.session)).size).toBe(1);
    expect(Object.keys(b.env).sort()).toEqual(['DT_CHANNELS', 'HOME', 'LANG', 'TMPDIR', 'TZ']);
  });
});

describe('what is refused before anything runs', () => {
  const refuse = async (own: JsonObject, given: readonly SimulatedInput[], match: object): Promise<void> => {
    await expect(simulate(operator(''), own, given)).rejects.toMatchObject(match);
  };

  it('seats that are none', async () => {
    await refuse({ ...args, exec_endpoints: 'here' }, [], { code: 'DT_INPUT_INVALID', message: expect.stringContaining('exec_endpoints') });
    await refuse({ ...args, exec_endpoints: { '0': 'A' } }, [], { message: expect.stringContaining('at least two seats') });
    await refuse({ ...args, exec_endpoints: { '0': 'A', b: 'B' } }, [], { message: expect.stringContaining('"b" is no number') });
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [i, '']));
    await refuse({ ...args, exec_endpoints: many }, [], { code: 'DT_INPUT_TOO_LARGE' });
  });

  it('inputs that are missing, foreign, twice, or no files', async () => {
    await refuse(args, inputs('a.csv', 'b.csv'), { code: 'DT_INPUT_MISSING', message: expect.stringContaining('--input 2=<file>') });
    const [a, b, c] = inputs('a.csv', 'b.csv', 'c.csv') as [SimulatedInput, SimulatedInput, SimulatedInput];
    const pair = { ...args, exec_endpoints: { '0': 'A', '1': 'B' } };
    await refuse(pair, [a, b, c], { message: expect.stringContaining('--input 0:2=<file> gives it to seat 0') });
    await refuse(args, [a, b, c, { ...a, seat: '1' }], { message: expect.stringContaining('given twice') });
    await refuse(args, [a, b, { ...c, path: join(folder, 'none.csv') }], { code: 'DT_INPUT_FILE' });
    await refuse(args, [a, b, { ...c, path: folder }], { code: 'DT_INPUT_FILE' });
    await refuse({ ...args, inputs: { '0': '/etc/passwd' } }, [a, b, c], { message: expect.stringContaining('./inputs/data.csv') });
  });

  it('an operator in Python, which cannot talk to its peers', async () => {
    const reason = /a joint operator is JavaScript/;
    await expect(readSimulatedOperator(file('sum.py', 'import json\n'))).rejects.toMatchObject({
      code: 'DT_INPUT_INVALID',
      message: expect.stringMatching(reason),
    });
    await expect(readSimulatedOperator(file('sum', '#!/usr/bin/env python3\n'))).rejects.toThrow(reason);
    expect(String(await readSimulatedOperator(file('sum.mjs', '// python\n')))).toBe('// python\n');
  });

  it('flags that say nothing', async () => {
    const argsFile = file('args.json', JSON.stringify(args));
    const sum = join(samples, 'secure_sum.mjs');
    for (const [argv, words] of [
      [['--args', argsFile, '--input', 'a.csv'], /expected <number>=<file>/],
      [['--args', file('list.json', '[]')], /are an object/],
      [[], /--args is missing/],
    ] as const) {
      const { code, stderr } = await runDt(['job', 'simulate', sum, ...argv], { home: folder });
      expect([code, stderr]).toEqual([2, expect.stringMatching(words)]);
    }
  });
});
