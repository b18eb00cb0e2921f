import { readFileSync } from 'node:fs';
import type { ILayer } from 'express-serve-static-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/tracer-daemon/app.js';
import { SOFTWARE } from '../../../src/tracer-daemon/deps.js';
import { openApi } from '../../../src/tracer-daemon/openapi.js';
import { createMetrics } from '../../../src/tracer-daemon/routes/status.js';
import { type BankRole, createWorld, type World } from '../../support/world.js';

/** `GET /v1/jobs/{id}`, in the spelling of OpenAPI. */
const operation = (method: string, path: string): string => `${method.toUpperCase()} ${path.replace(/[:*](\w+)/g, '{$1}')}`;

const routesOf = (router: object): readonly string[] => {
  const stack: readonly ILayer[] = 'stack' in router && Array.isArray(router.stack) ? router.stack : [];
  return stack.flatMap(({ route, handle }) =>
    route === undefined ? routesOf(handle) : route.stack.map(({ method }) => operation(method, route.path)),
  );
};

const documented = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => ({ name: operation(method, path), method, path, described })),
);

describe('the OpenAPI document', () => {
  let world: World;
  let bank: BankRole;

  beforeAll(async () => {
    world = await createWorld();
    bank = await world.bank('Bank A', { sandbox: { level: 'process' } });
  }, 60_000);
  afterAll(() => world.close());

  it('describes every route of the daemon, and no other', () => {
    const { deps } = bank.daemon;
    const routes = [...new Set(routesOf(createApp(deps, createMetrics(deps)).router))];
    expect(routes.length).toBeGreaterThan(15);
    expect(routes.sort()).toEqual(documented.map(({ name }) => name).sort());
  });

  it('says where a proof is asked for, and only there', async () => {
    for (const { name, method, path, described } of documented) {
      const filled = path.replace(/\{(token|composite)\}/g, `dt:ownership:${'1'.repeat(64)}`).replace(/\{\w+\}/g, 'x');
      const sent = method === 'post' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {};
      const answer = await fetch(`${bank.daemon.url}${filled}`, { method: method.toUpperCase(), ...sent });
      expect(await answer.text(), name).not.toContain('DT_HTTP_NOT_FOUND');
      // A body that lacks what it must have is refused before anyone asks who sent it.
      if ('requestBody' in described && 'required' in described.requestBody) expect(answer.status, name).toBe(400);
      else expect(answer.status === 401, name).toBe('security' in described);
    }
  });

  it('names parameters that stand in its paths, and parts that it has', () => {
    for (const { name, path, described } of documented) {
      const parameters: readonly { readonly name: string; readonly in: string }[] = 'parameters' in described ? described.parameters : [];
      const inPath = parameters.flatMap((parameter) => (parameter.in === 'path' ? [parameter.name] : []));
      expect(inPath.sort(), name).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, word]) => word ?? '').sort());
    }
    const used = [...JSON.stringify(openApi).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, word]) => word ?? '');
    expect([...new Set(used)].sort()).toEqual(Object.keys(openApi.components.schemas).sort());
  });

  it('is what the daemon serves, under the version of the package', async () => {
    expect(await (await fetch(`${bank.daemon.url}/v1/openapi.json`)).json()).toEqual(JSON.parse(JSON.stringify(openApi)));
    const { name, version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(SOFTWARE).toBe(`${name}/${version}`);
    expect(await (await fetch(`${bank.daemon.url}/v1/identity`)).json()).toMatchObject({ software: SOFTWARE });
  });
});
