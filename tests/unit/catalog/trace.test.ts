import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it } from 'vitest';
import { type TraceNode, traceLifecycle, traceUnion } from '../../../src/actions/tracer/trace-lifecycle.js';
import { traceStats } from '../../../src/actions/tracer/trace-stats.js';
import { FollowingIndex } from '../../../src/catalog/index/following-index.js';
import { renderTrace } from '../../../src/cli/render-trace.js';
import type { ContentStore } from '../../../src/content-store/content-store.js';
import { canonicalBytes, digestOf } from '../../../src/documents/canonical.js';
import { buildDdo, parseAssetAttributes } from '../../../src/documents/ddo/ddo.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { LedgerReader } from '../../../src/ledger/ledger.js';
import { addressOf, GeneratedChain, granted, minted, organization, revoked, tokenOf, wordOf } from '../../support/generated-chain.js';

const LEVELS = 14;

/** Each composite of a level is made of all of the level below. */
function lattice(): GeneratedChain {
  const chain = new GeneratedChain();
  chain.mine(organization('bank'));
  chain.mine(minted('0a', 'bank'), minted('0b', 'bank'));
  for (let level = 1; level <= LEVELS; level++)
    for (const side of ['a', 'b']) {
      const children = [`${level - 1}a`, `${level - 1}b`];
      chain.mine(
        minted(`${level}${side}`, 'bank', children),
        granted(children[0]!, `${level}${side}`),
        granted(children[1]!, `${level}${side}`),
      );
    }
  return chain;
}

const contextOf = (chain: GeneratedChain) => {
  const none: Pick<ContentStore, 'get'> = { get: async () => undefined };
  return {
    ledger: {} as LedgerReader,
    content: none as ContentStore,
    index: new FollowingIndex({ ledger: chain }),
  };
};

const count = (node: TraceNode): number => 1 + node.children.reduce((sum, child) => sum + count(child), 0);

describe('a trace', () => {
  it('shows a token once, and refers to it where it is met again: its size is that of the edges', async () => {
    const context = contextOf(lattice());
    const up = await traceLifecycle(context, tokenOf('0a'));
    expect(count(up)).toBe(1 + 2 + 4 * (LEVELS - 1));
    const down = await traceUnion(context, tokenOf(`${LEVELS}a`));
    expect(count(down)).toBe(1 + 4 * (LEVELS - 1) + 2);
    const lines = renderTrace(down, false).split('\n');
    expect(lines).toHaveLength(count(down));
    expect(lines.filter((line) => line.includes('↑ shown above')).length).toBe(count(down) - (2 * LEVELS + 1));
  });

  it('follows one branch along a path, and says where the path leaves the tree', async () => {
    const context = contextOf(lattice());
    const branch = await traceLifecycle(context, tokenOf('0a'), [tokenOf('1b'), tokenOf('2a')]);
    expect(branch.children.map(({ token }) => token)).toEqual([tokenOf('1b')]);
    expect(branch.children[0]?.children.map(({ token }) => token)).toEqual([tokenOf('2a')]);
    expect(branch.children[0]?.children[0]?.children).toHaveLength(2);
    await expect(traceLifecycle(context, tokenOf('0a'), [tokenOf('2a')])).rejects.toMatchObject({ code: 'DT_INPUT_INVALID' });
    await expect(traceLifecycle(context, tokenOf('nothing'))).rejects.toMatchObject({ code: 'DT_ASSET_UNKNOWN' });
  });

  it('tells the state of each grant, the jobs, and their numbers', async () => {
    const chain = new GeneratedChain();
    const demander = addressOf('third');
    chain.mine(organization('bank'), organization('third'));
    chain.mine(
      minted('a', 'bank'),
      minted('b', 'bank'),
      minted('c', 'bank'),
      minted('d', 'bank'),
      minted('m', 'third', ['a', 'b', 'c', 'd']),
    );
    chain.mine(granted('a', 'm'), granted('b', 'm', 1_700_000_001), granted('c', 'm'), revoked('c', 'm'));
    chain.mine({ kind: 'activated', token: tokenOf('m') }, { kind: 'task-created', task: 1n, demander, name: 'test', description: '' });
    chain.mine({ kind: 'job-added', job: 1n, task: 1n, algorithm: tokenOf('m'), demander });
    const report = {
      kind: 'job-reported',
      job: 1n,
      token: tokenOf('a'),
      receipt: wordOf('r'),
      reporter: addressOf('bank'),
      anchor: wordOf('root'),
    } as const;
    chain.mine({ ...report, state: 'failed' });
    chain.mine({ ...report, state: 'succeeded', receipt: wordOf('again') });
    const context = contextOf(chain);
    const union = await traceUnion(context, tokenOf('m'));
    expect(union.children.map(({ grant }) => grant?.state)).toEqual(['live', 'expired', 'revoked', 'none']);
    expect(union.jobs).toMatchObject([
      { job: '1', taskName: 'test', demanderName: 'third', reports: [{ state: 'succeeded', receipt: wordOf('again') }] },
    ]);
    expect(await traceStats(context)).toEqual({
      organizations: 2,
      operators: { published: 0, retired: 0 },
      tokens: { leaves: 4, composites: 1, activated: 1 },
      tasks: { open: 1, closed: 0 },
      jobs: { added: 1, shares: { succeeded: 1 } },
      byOrganization: [
        { name: 'bank', address: addressOf('bank'), tokens: 4, jobsAsked: 0, sharesRun: 1 },
        { name: 'third', address: addressOf('third'), tokens: 1, jobsAsked: 1, sharesRun: 0 },
      ],
    });
  });

  it('reads a document once in the life of the index, and takes no name from a damaged row of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dt-labels-'));
    const chain = new GeneratedChain();
    chain.mine(organization('bank'));
    const attributes = parseAssetAttributes({
      metadata: { main: { type: 'Dataset', name: 'customers' } },
      services: [{ index: 'default', endpoint: '', descriptor: { template: tokenOf('operator'), constraint: {} }, attributes: {} }],
    });
    const ddo = buildDdo(attributes, tokenOf('a'), addressOf('bank'), new Date(0));
    const first = { ...minted('a', 'bank'), digest: digestOf(ddo) };
    chain.mine(first, minted('b', 'bank'));
    const asked: string[] = [];
    const content = (bytes: Uint8Array | undefined): ContentStore => {
      const get = async (digest: string): Promise<Uint8Array | undefined> => {
        asked.push(digest);
        return digest === first.digest ? bytes : undefined;
      };
      const store: Pick<ContentStore, 'get'> = { get };
      return store as ContentStore;
    };
    const named = async (token: string, bytes: Uint8Array | undefined, onNotice?: (text: string) => void) => {
      const index = new FollowingIndex({ ledger: chain, folder, ...(onNotice && { onNotice }) });
      const trace = await traceLifecycle({ ...contextOf(chain), content: content(bytes), index }, tokenOf(token));
      const { path } = index.status();
      index.close();
      return { name: trace.name, type: trace.type, path: path ?? '' };
    };
    try {
      const customers = { name: 'customers', type: 'Dataset' };
      expect(await named('a', undefined)).toMatchObject({ name: undefined });
      expect(await named('a', canonicalBytes(ddo))).toMatchObject(customers);
      const { path } = await named('a', undefined);
      expect(asked).toEqual([first.digest, first.digest]);
      expect(await named('b', undefined)).toMatchObject({ name: undefined });

      const database = new DatabaseSync(path);
      database.exec("update label set name = 'another'");
      database.close();
      const notices: string[] = [];
      expect(await named('a', canonicalBytes(ddo), (text) => notices.push(text))).toMatchObject(customers);
      expect(notices).toEqual([expect.stringMatching(/a row of label does not have its checksum/)]);
      expect(asked).toHaveLength(4);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('of a chain whose endpoint leaves something out is refused', async () => {
    const chain = new GeneratedChain();
    chain.mine(minted('m', 'bank', ['a']));
    const error = await traceUnion(contextOf(chain), tokenOf('m')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolkitError);
    expect(error).toMatchObject({ code: 'DT_CHAIN_EVENTS', details: { block: 1, kind: 'token-minted' } });
  });
});
