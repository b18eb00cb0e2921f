import { expect, test } from 'vitest';
import { configKeys } from '../../../../src/tracer-daemon/config/config-schema.js';
import { parseConfig } from '../../../../src/tracer-daemon/config/load-config.js';

const parsed = (environment: Record<string, string>, text = '') => parseConfig(text, '/etc/dt/daemon.yaml', environment);
const codeOf = (environment: Record<string, string>, text = ''): unknown => {
  try {
    return parsed(environment, text);
  } catch (error) {
    return error;
  }
};

test('variables win over the file and over defaults, each in the form of its type', () => {
  const config = parsed(
    {
      DT_DAEMON__LISTEN__PORT: '9000',
      DT_DAEMON__CHAIN__RPC_URL: 'https://chain.example',
      DT_DAEMON__TRUST_PROXY: '1',
      DT_DAEMON__GRANTS__AUTO: 'true',
      DT_DAEMON__GRANTS__MAX_DAYS: '',
      DT_DAEMON__SANDBOX__LIMITS__MEMORY_MIB: '64',
      DT_DAEMON__CONTENT__GATEWAYS: 'https://a, https://b/ipfs',
      DT_DAEMON__DATASETS__ROOTS: '["/one, two", three]',
      DT_DAEMON__KEY__PASSWORD_ENV: 'OTHER',
      DT_DAEMON__LOG__LEVEL: ' debug ',
      DT_PASSWORD: 'not ours',
      PATH: '/bin',
    },
    'listen:\n  port: 1\n  host: 0.0.0.0\ngrants:\n  maxDays: 3\n  auto: false\n',
  );
  expect(config.listen).toEqual({ host: '0.0.0.0', port: 9000 });
  expect(config.chain.rpcUrl).toBe('https://chain.example');
  expect(config.trustProxy).toBe(1);
  expect(config.grants).toEqual({ auto: true, maxDays: undefined });
  expect(config.sandbox.limits.memoryMiB).toBe(64);
  expect(config.content.gateways).toEqual(['https://a', 'https://b/ipfs']);
  expect(config.datasets.roots).toEqual(['/one, two', '/etc/dt/three']);
  expect(config.key.passwordEnv).toBe('OTHER');
  expect(config.log.level).toBe('debug');
});

test('a variable makes a section that the file does not have, and replaces a wrong value of the file', () => {
  expect(parsed({ DT_DAEMON__TLS__CERT_FILE: 'c', DT_DAEMON__TLS__KEY_FILE: '/k' }).tls).toEqual({ certFile: '/etc/dt/c', keyFile: '/k' });
  expect(parsed({ DT_DAEMON__LISTEN__PORT: '5' }, 'listen: {port: wrong}').listen.port).toBe(5);
});

test.each([
  [{ DT_DAEMON__LISTEN__PORT: '80x' }, '', /environment, key DT_DAEMON__LISTEN__PORT: expected a whole number from 0 to 65535/],
  [{ DT_DAEMON__LISTEN__PORT: '' }, '', /environment, key DT_DAEMON__LISTEN__PORT: expected a whole number/],
  [
    { DT_DAEMON__LISTEN__PROT: '80' },
    '',
    /environment, key DT_DAEMON__LISTEN__PROT: there is no such key; did you mean DT_DAEMON__LISTEN__PORT\?/,
  ],
  [{ DT_DAEMON__LISTEN: '80' }, '', /DT_DAEMON__LISTEN: there is no such key/],
  [{ DT_DAEMON__GRANTS__AUTO: '1' }, '', /DT_DAEMON__GRANTS__AUTO: expected true or false/],
  [{ DT_DAEMON__DATASETS__ROOTS: '[unclosed' }, '', /DT_DAEMON__DATASETS__ROOTS: expected a list of paths/],
  [{ DT_DAEMON__TLS__CERT_FILE: 'c' }, '', /key tls.keyFile: it is missing/],
  [{ DT_DAEMON__LISTEN__PORT: '80' }, 'listen: 3', /daemon.yaml:1, key listen: expected the keys host, port, got 3/],
  [{ DT_DAEMON__KEY__FILE: 'f' }, 'key: {name: n}', /environment, key DT_DAEMON__KEY__FILE: expected either file, or keystore and name/],
])('%j over %j is refused', (environment, text, message) => {
  expect(codeOf(environment, text)).toMatchObject({ code: 'DT_CONFIG_INVALID', message: expect.stringMatching(message) });
});

test('every key has a variable of its own', () => {
  const names = configKeys().map(({ variable }) => variable);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^DT_DAEMON(__[A-Z]+(_[A-Z]+)*)+$/);
});
