import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ToolkitError } from '../../../../src/errors/toolkit-error.js';
import type { ConfigProblem } from '../../../../src/tracer-daemon/config/config-problem.js';
import { loadConfig, parseConfig } from '../../../../src/tracer-daemon/config/load-config.js';

const FILE = '/etc/dt/daemon.yaml';
const parsed = (text: string, environment = {}) => parseConfig(text, FILE, environment);

/** Where and why a text is refused, in the order in which the error says it. */
function problems(text: string, environment: Record<string, string> = {}): readonly [string, string, string][] {
  try {
    parsed(text, environment);
  } catch (error) {
    if (!(error instanceof ToolkitError) || error.code !== 'DT_CONFIG_INVALID') throw error;
    const found = error.details['problems'] as readonly ConfigProblem[];
    for (const { where, key, reason } of found) {
      expect(error.message).toContain(where);
      expect(error.message).toContain(key);
      expect(error.message).toContain(reason);
    }
    return found.map(({ where, key, reason }) => [where.replace(FILE, ''), key, reason]);
  }
  return [];
}

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'dt-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('paths start at the folder of the file, not at the current one', async () => {
    const file = join(folder, 'daemon.yaml');
    writeFileSync(
      file,
      'datasets:\n  roots: [../rows, /srv/rows]\nstore:\n  url: sqlite:deep/state.db\nkey:\n  file: k.json\ntls:\n  certFile: c.pem\n  keyFile: /k.pem\n',
    );
    const config = await loadConfig(file, { DT_DAEMON__JOBS__FOLDER: './work' });
    expect(config.datasets.roots).toEqual([join(folder, '../rows'), '/srv/rows']);
    expect(config.store.url).toBe(`sqlite:${folder}/deep/state.db`);
    expect(config.key).toEqual({ file: join(folder, 'k.json'), passwordEnv: 'DT_PASSWORD' });
    expect(config.tls).toEqual({ certFile: join(folder, 'c.pem'), keyFile: '/k.pem' });
    expect(config.jobs.folder).toBe(join(folder, 'work'));
    expect(config.content.folder).toBe(join(folder, 'content'));
    expect(config.chain.addressBook).toBe(join(folder, 'address-book.json'));
  });

  test('a missing file and an unreadable one', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'), {})).rejects.toMatchObject({
      code: 'DT_CONFIG_MISSING',
      details: { path: join(folder, 'none.yaml') },
    });
    await expect(loadConfig(folder, {})).rejects.toMatchObject({ code: 'DT_INPUT_FILE', details: { reason: 'it is a folder' } });
  });
});

test('the result is frozen to its leaves', () => {
  const config = parsed('');
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(visit);
  };
  visit(config);
  expect(() => Object.assign(config.jobs, { concurrency: 99 })).toThrow(TypeError);
});

test('every problem is named at once, with its line, its key and what was expected', () => {
  const text = `lisen:
  port: 1
listen:
  prot: 99
  port: 70000
jobs:
tls:
  certFile: 3
content:
  gateways:
    - http://a
    - ftp://x
    - 3
queueLimit: 3
sandbox: { level: strong, limits: { memoryMB: 3, cpuSeconds: 1.5 } }
`;
  expect(problems(text)).toEqual([
    [':1', 'lisen', 'there is no such key; did you mean listen?'],
    [':4', 'listen.prot', 'there is no such key; did you mean listen.port?'],
    [':5', 'listen.port', 'expected a whole number from 0 to 65535, got 70000'],
    [':6', 'jobs', expect.stringMatching(/^expected the keys folder, concurrency, .*got null$/)],
    [':7', 'tls.keyFile', 'it is missing; expected a path'],
    [':8', 'tls.certFile', 'expected a path, got 3'],
    [':12', 'content.gateways', expect.stringMatching(/^expected a list of URLs .*, got another text$/)],
    [':13', 'content.gateways', expect.stringMatching(/^expected a list of URLs .*, got 3$/)],
    [':14', 'queueLimit', 'there is no such key; did you mean jobs.queueLimit?'],
    [':15', 'sandbox.level', 'expected one of process, namespaces, bubblewrap, got another text'],
    [':15', 'sandbox.limits.memoryMB', 'there is no such key; did you mean sandbox.limits.memoryMiB?'],
    [':15', 'sandbox.limits.cpuSeconds', 'expected a whole number from 1 to 31536000, got 1.5'],
  ]);
});

test.each([
  ['listen:\n  port: 1\n  port: 2\n', ':3'],
  ['listen:\n\tport: 1\n', ':2'],
  ['listen: {port: 1\n', ':2'],
  ['a: 1\n---\nb: 2\n', ':2'],
  ['listen: !secret x\n', ':1'],
  ['listen: *nowhere\n', ':1'],
  [
    'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n',
    ':1',
  ],
])('broken YAML names its line: %j', (text, line) => {
  expect(problems(text)[0]?.slice(0, 2)).toEqual([line, '(syntax)']);
});

test.each(['- a\n- b\n', 'just text\n', '17\n'])('a file that holds no keys: %j', (text) => {
  expect(problems(text)).toEqual([[':1', '(file)', 'expected keys and values, like `listen:`']]);
});

test.each([
  ['trustProxy', 'trustProxy: 11', 'trustProxy: 2'],
  ['trustProxy', 'trustProxy: "yes"', 'trustProxy: true'],
  ['chain.rpcUrl', 'chain: {rpcUrl: "ftp://x"}', 'chain: {rpcUrl: "https://x/dt"}'],
  ['chain.rpcUrl', 'chain: {rpcUrl: "https://u:p@x"}', 'chain: {rpcUrl: "https://x:1"}'],
  ['chain.wsUrl', 'chain: {wsUrl: "http://x"}', 'chain: {wsUrl: "wss://x"}'],
  ['key.passwordEnv', 'key: {passwordEnv: "my password"}', 'key: {passwordEnv: MY_PASSWORD}'],
  ['key.name', 'key: {name: ../other}', 'key: {name: other}'],
  ['key.file', 'key: {file: a, name: b}', 'key: {file: a}'],
  ['key.file', 'key: {file: a, keystore: b}', 'key: {keystore: b}'],
  ['store.url', 'store: {url: mysql://x}', 'store: {url: postgres://u@x/d}'],
  ['store.url', 'store: {url: "sqlite:"}', 'store: {url: "sqlite:x"}'],
  ['store.url', 'store: {url: "postgres://u:secret@h/d"}', 'store: {url: "postgresql:///d?host=/run/pg"}'],
  ['store.url', 'store: {url: "postgres://h/d?password=secret"}', 'store: {url: "postgres://h/d?sslmode=require"}'],
  ['jobs.concurrency', 'jobs: {concurrency: 0}', 'jobs: {concurrency: 1}'],
  ['jobs.concurrency', 'jobs: {concurrency: "1"}', 'jobs: {concurrency: 7}'],
  ['datasets.roots', 'datasets: {roots: ./x}', 'datasets: {roots: []}'],
  ['datasets.roots', 'datasets: {roots: [""]}', 'datasets: {roots: [x]}'],
  ['grants.auto', 'grants: {auto: yes}', 'grants: {auto: true}'],
  ['grants.maxDays', 'grants: {maxDays: 0}', 'grants: {maxDays: 1}'],
  ['log.level', 'log: {level: verbose}', 'log: {level: silent}'],
])('%s refuses %j and takes %j', (key, wrong, right) => {
  const found = problems(wrong);
  expect(found.map(([, name]) => name)).toEqual([key]);
  expect(found[0]?.[2]).not.toMatch(/secret|my password/);
  expect(problems(right)).toEqual([]);
});

test('a password in a wrong place is not repeated in the error', () => {
  for (const text of [
    'store: {url: "postgres://u:hunter2@h/d"}',
    'key: {passwordEnv: "hunter 2"}',
    'log: hunter2',
    'tls: {certFile: [hunter2], keyFile: x}',
  ]) {
    expect(() => parsed(text)).toThrow(
      expect.objectContaining({ code: 'DT_CONFIG_INVALID', message: expect.not.stringContaining('hunter') }),
    );
  }
});

test('keys that JavaScript knows are unknown keys here', () => {
  expect(problems('__proto__: {listen: {port: 1}}\nconstructor: 1\nlisten: {toString: 1}\n').map(([, key]) => key)).toEqual([
    '__proto__',
    'constructor',
    'listen.toString',
  ]);
});

describe('links', () => {
  test('a daemon that says nothing of them only calls, and keeps its key beside its jobs', () => {
    expect(parsed('jobs: { folder: /srv/work/jobs }\n').link).toEqual({
      listen: undefined,
      advertise: undefined,
      keyFile: '/srv/work/link.key',
      graceSeconds: 30,
      peerWaitSeconds: 60,
      direct: true,
    });
    expect(parsed('').joint).toEqual({ help: 'own', limit: 16 });
  });

  test('it listens where its requests come in unless another address is given; paths start at the folder of the file', () => {
    const { link } = parsed(
      'listen: { host: 10.0.0.1 }\nlink: { listen: { port: 9443 }, advertise: "[2001:db8::1]:1", keyFile: keys/link.key }\n',
    );
    expect(link).toMatchObject({
      listen: { host: '10.0.0.1', port: 9443 },
      advertise: '[2001:db8::1]:1',
      keyFile: '/etc/dt/keys/link.key',
    });
    expect(parsed('link: { listen: { host: "::", port: 0 } }\n').link.listen).toEqual({ host: '::', port: 0 });
    expect(parsed('', { DT_DAEMON__LINK__LISTEN__PORT: '9443', DT_DAEMON__JOINT__HELP: 'any' })).toMatchObject({
      link: { listen: { host: '127.0.0.1', port: 9443 } },
      joint: { help: 'any' },
    });
  });

  test.each([
    'host',
    'host:',
    ':1',
    'host:0',
    'host:65536',
    'host:1x',
    'http://host:1',
    'a b:1',
    'user@host:1',
    '2001:db8::1',
    '[host]:1',
    '[::1]',
    'host:1/x',
  ])('an address for others that is none: %j', (advertise) => {
    expect(problems(`link:\n  listen: { port: 1 }\n  advertise: ${JSON.stringify(advertise)}\n`)).toEqual([
      [':3', 'link.advertise', 'expected host:port, without anything else, got another text'],
    ]);
  });

  test('what does not fit together is refused', () => {
    expect(problems('link:\n  advertise: host:1\n')).toEqual([
      [':2', 'link.advertise', 'expected link.listen as well: nothing listens where it sends them'],
    ]);
    expect(problems('link:\n  listen: { host: x }\njoint: { help: all, limit: 0 }\n')).toEqual([
      [':2', 'link.listen.port', 'it is missing; expected a whole number from 0 to 65535'],
      [':3', 'joint.help', 'expected one of own, any, none, got another text'],
      [':3', 'joint.limit', 'expected a whole number from 1 to 256, got 0'],
    ]);
  });
});
