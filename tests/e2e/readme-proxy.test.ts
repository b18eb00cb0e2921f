import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerOrganization } from '../../src/actions/system/register-organization.js';
import { createWorld, mintLeaf, publish, type Role, type World } from '../support/world.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tls = (name: string): string => join(root, 'tests', 'support', 'tls', `${name}.pem`);

const COUNT = `
import { readFileSync, writeFileSync } from 'node:fs';
const rows = readFileSync('inputs/a.csv', 'utf8').trim().split('\\n').length - 1;
console.log('counted', rows);
writeFileSync('outputs/count.txt', String(rows));
`;

describe('a daemon behind an HTTPS proxy that adds a path, as README.md has it', () => {
  let world: World;
  let fintech: Role;
  let outer: string;
  let close: () => Promise<unknown>;
  const seen: string[] = [];

  const dt = async (env: NodeJS.ProcessEnv, ...words: string[]): Promise<{ exitCode: number | null; said: string }> => {
    const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), ...words], {
      env: {
        PATH: process.env['PATH'],
        DT_HOME: join(world.folder, 'home'),
        DT_RPC: world.chain.url,
        DT_ADDRESS_BOOK: join(world.folder, 'address-book.json'),
        DT_PRIVATE_KEY: fintech.wallet.privateKey,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
      });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return { exitCode, said };
  };

  beforeAll(async () => {
    world = await createWorld();
    const bank = await world.bank('Bank A', { trustProxy: 1 });
    fintech = await world.role('Fintech C');
    const operator = await publish(world, 'count', COUNT, {});
    const leaf = await mintLeaf(bank, {
      name: 'customers',
      services: [{ index: 'count', template: operator, constraint: {}, path: './inputs/a.csv' }],
      storePath: await bank.data('a.csv', 'id\n1\n2\n3\n'),
    });
    const server = createServer({ cert: await readFile(tls('cert')), key: await readFile(tls('key')) }, (incoming, answer) => {
      seen.push(`${incoming.method} ${incoming.url}`);
      const path = /^\/dt(\/.*)$/.exec(incoming.url ?? '')?.[1];
      if (path === undefined) return void answer.writeHead(404).end();
      const headers = { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress, 'x-forwarded-proto': 'https' };
      const inner = request(bank.daemon.url + path, { method: incoming.method, headers }, (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      });
      incoming.pipe(inner);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    close = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    outer = `https://127.0.0.1:${(server.address() as AddressInfo).port}/dt`;
    await registerOrganization(world.system.context, { address: bank.address, url: outer });
    const workflow = { [leaf]: { service: 'count', constraint: {} } };
    const algorithm = {
      metadata: { main: { type: 'Algorithm', name: 'counting' } },
      child_dts: [leaf],
      services: [{ index: 'default', endpoint: '', descriptor: { workflow }, attributes: {} }],
    };
    await writeFile(join(world.folder, 'algorithm.json'), JSON.stringify(algorithm));
  });

  afterAll(async () => {
    await close?.();
    await world?.close();
  });

  it('grants, runs, streams the log and sends the outputs', async () => {
    const trusting = { NODE_EXTRA_CA_CERTS: tls('cert') };
    const composed = await dt(trusting, 'asset', 'cdt', '--attr-file', join(world.folder, 'algorithm.json'), '--as', 'counting');
    expect(composed.exitCode, composed.said).toBe(0);
    expect((await dt(trusting, 'job', 'init', '--name', 'count')).exitCode).toBe(0);
    const outputs = join(world.folder, 'outputs');
    const run = await dt(trusting, 'job', 'exec', '--task-id', '1', '--cdt', '@counting', '--outputs', outputs);
    expect(run.exitCode, run.said).toBe(0);
    expect(run.said).toMatch(/│ counted 3/);
    expect(await readFile(join(outputs, 'customers', 'count.txt'), 'utf8')).toBe('3');
    expect(seen).toContain('POST /dt/v1/grants');
    expect(seen).toContain('POST /dt/v1/jobs');
    expect(seen.some((line) => /^GET \/dt\/v1\/jobs\/[0-9a-f-]{36}\/events$/.test(line))).toBe(true);
  });

  it('is not talked to when its certificate is not trusted', async () => {
    const { exitCode, said } = await dt({}, 'job', 'status', '1');
    expect(exitCode, said).toBe(7);
    expect(said).toMatch(/DT_PEER_UNREACHABLE/);
  });
});
