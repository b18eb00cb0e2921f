import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sandboxLevels } from '../../../../src/sandbox/sandbox.js';
import { type ConfigValues, jointHelps } from '../../../../src/tracer-daemon/config/config.js';
import { configKeys } from '../../../../src/tracer-daemon/config/config-schema.js';
import { exampleConfig } from '../../../../src/tracer-daemon/config/example-config.js';
import { parseConfig } from '../../../../src/tracer-daemon/config/load-config.js';

const FILE = '/etc/dt/daemon.yaml';
const parsed = (text: string) => parseConfig(text, FILE, {});

test('the example says nothing but the defaults', () => {
  expect(parsed(exampleConfig())).toEqual(parsed(''));
});

test('every key stands in the example, with its meaning in the line above', () => {
  const lines = exampleConfig().split('\n');
  for (const { key, schema } of configKeys()) {
    const name = key.slice(key.lastIndexOf('.') + 1);
    const at = lines.findIndex(
      (line, index) => index > 0 && new RegExp(`^[ #]*${name}: \\S`).test(line) && lines[index - 1]?.includes(schema.description),
    );
    expect(at, key).toBeGreaterThan(0);
  }
});

test('what is commented out is right as well once the comment signs are taken away', () => {
  const text = exampleConfig({ key: { file: './key.json' } })
    .split('\n')
    .map((line) => (/^ *# (?: *#|tls:| *listen:| *[a-z]\w*: \S)/i.test(line) && !/^ *# [A-Z]/.test(line) ? line.replace('# ', '') : line))
    .filter((line) => !/^ *(keystore|name): /.test(line))
    .join('\n');
  const config = parsed(text);
  expect(config.tls).toEqual({ certFile: '/etc/dt/tls/cert.pem', keyFile: '/etc/dt/tls/key.pem' });
  expect(config.grants.maxDays).toBe(365);
  expect(config.chain.wsUrl).toBe('ws://127.0.0.1:8545');
  expect(config.content.kuboApi).toBe('http://127.0.0.1:5001');
  expect(config.store.passwordEnv).toBe('DT_STORE_PASSWORD');
  expect(config.link).toMatchObject({
    listen: { host: '0.0.0.0', port: 0 },
    advertise: 'bank-a.example:9443',
    keyFile: '/etc/dt/link.key',
  });
});

test('chosen values come back, whatever characters they have', () => {
  // A path keeps its spelling only when it is absolute and plain; the characters are free.
  const path = fc
    .string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
    .filter((text) => !/[/\0]/.test(text) && !['.', '..'].includes(text))
    .map((text) => `/${text}`);
  const values: fc.Arbitrary<ConfigValues> = fc.record(
    {
      listen: fc.record({ host: fc.string({ minLength: 1 }), port: fc.integer({ min: 0, max: 65_535 }) }, { requiredKeys: [] }),
      trustProxy: fc.oneof(fc.boolean(), fc.integer({ min: 0, max: 10 })),
      tls: fc.record({ certFile: path, keyFile: path }),
      datasets: fc.record({ roots: fc.array(path) }),
      sandbox: fc.record({ level: fc.constantFrom(...sandboxLevels), limits: fc.record({ logMiB: fc.integer({ min: 1, max: 1024 }) }) }),
      link: fc.record({
        listen: fc.record({ host: fc.string({ minLength: 1 }), port: fc.integer({ min: 0, max: 65_535 }) }),
        keyFile: path,
        graceSeconds: fc.integer({ min: 1, max: 86_400 }),
      }),
      joint: fc.record({ help: fc.constantFrom(...jointHelps), limit: fc.integer({ min: 1, max: 256 }) }),
      grants: fc.record({ auto: fc.boolean(), maxDays: fc.integer({ min: 1, max: 36_500 }) }, { requiredKeys: [] }),
      key: fc.oneof(fc.record({ file: path }), fc.record({ keystore: path, name: fc.constant('1e3') })),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(values, (chosen) => {
      const config = parsed(exampleConfig(chosen));
      const { key, sandbox, grants, listen, ...rest } = chosen;
      const defaults = parsed('');
      expect(config).toMatchObject(rest);
      expect(config.listen).toEqual({ ...defaults.listen, ...listen });
      expect(config.grants).toEqual({ ...defaults.grants, ...grants });
      if (key !== undefined) expect(config.key).toEqual({ ...key, passwordEnv: 'DT_PASSWORD' });
      if (sandbox !== undefined)
        expect(config.sandbox).toEqual({ level: sandbox.level, limits: { ...defaults.sandbox.limits, ...sandbox.limits } });
    }),
  );
});

test.each(['\u00a0', '\u2028', '\ufeff', '\u3000', ' '])('a path that ends in %j keeps it', (space) => {
  const certFile = `/etc/cert${space}`;
  expect(parsed(exampleConfig({ tls: { certFile, keyFile: '/etc/key' } })).tls).toEqual({ certFile, keyFile: '/etc/key' });
});
