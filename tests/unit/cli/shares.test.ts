import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { shareFolder } from '../../../src/actions/job/download-outputs.js';
import type { Party } from '../../../src/actions/job/job-parties.js';
import { failureOf, isFinalState, problemOf, type ShareView, viewShare } from '../../../src/actions/job/share-view.js';
import { partyPrefixes, renderLogs, renderShares } from '../../../src/cli/render-shares.js';
import { jobFailure, partyListener, queryFailure } from '../../../src/cli/watch-job.js';
import { parseAddress, parseTokenId } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { DaemonClient, type RunView } from '../../../src/peers/daemon-client.js';

const plain = stripVTControlCharacters;
const owner = parseAddress(`0x${'1'.repeat(40)}`);
const SECRET = 'the private key';

function partyOf(digit: string, ownerName: string, assetName: string): Party {
  const signer = { address: owner, secret: SECRET, signTypedData: async () => '0x' };
  const client = new DaemonClient({
    url: new URL('http://127.0.0.1:1'),
    organization: owner,
    signer,
    domain: { chainId: 1, market: owner },
  });
  return { token: parseTokenId(`dt:ownership:${digit.repeat(64)}`), assetName, owner, ownerName, client };
}

const run = (state: string, more: Partial<RunView> = {}): RunView => ({
  id: 'run',
  job: '1',
  task: '1',
  algorithm: parseTokenId(`dt:ownership:${'f'.repeat(64)}`),
  token: parseTokenId(`dt:ownership:${'a'.repeat(64)}`),
  consumer: owner,
  state,
  attempt: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  outputs: [],
  settlement: 'none',
  ...more,
});

const a = partyOf('a', 'Bank A', 'loans');
const b = partyOf('b', 'Bank B', 'loans');

describe('a share', () => {
  it('shows no key and no connection', () => {
    const text = JSON.stringify(viewShare(a, run('running'), undefined));
    expect(text).not.toContain(SECRET);
    expect(text).toContain('http://127.0.0.1:1/');
  });

  it('without a run says why: refused, unreachable or absent', () => {
    expect(viewShare(a, undefined, undefined)).toMatchObject({ state: 'absent', isProblem: false });
    expect(viewShare(a, undefined, new ToolkitError('DT_PEER_UNREACHABLE', {}))).toMatchObject({ state: 'unreachable', isProblem: true });
    expect(viewShare(a, undefined, new ToolkitError('DT_POLICY_DENIED', { count: 1n }))).toMatchObject({
      state: 'refused',
      failure: { details: { count: '1' } },
    });
    // A run that is known keeps its state, whatever went wrong afterwards.
    expect(viewShare(a, run('succeeded'), new ToolkitError('DT_PEER_ANSWER', {}))).toMatchObject({ state: 'succeeded', isProblem: true });
  });

  it('ends a command with its own error, or with DT_JOB_FAILED where that cannot be said', () => {
    const failed = (code: string, details: object): ShareView =>
      viewShare(a, run('failed', { failure: { code, message: 'went wrong', hint: 'h', details: details as never } }), undefined);
    expect(failureOf(1n, failed('DT_SANDBOX_LIMIT', { limit: 1, unit: 's', resource: 'time' }))).toMatchObject({
      code: 'DT_SANDBOX_LIMIT',
      exitCode: 8,
    });
    for (const share of [failed('DT_SANDBOX_LIMIT', {}), failed('DT_OF_ANOTHER_VERSION', {}), failed('toString', {})])
      expect(failureOf(1n, share)).toMatchObject({ code: 'DT_JOB_FAILED', message: expect.stringContaining('went wrong') });
    expect(failureOf(1n, viewShare(a, run('canceled'), undefined))).toMatchObject({ code: 'DT_JOB_FAILED' });
    for (const state of ['queued', 'running', 'succeeded']) expect(failureOf(1n, viewShare(a, run(state), undefined))).toBeUndefined();
    expect(problemOf(failed('DT_SANDBOX_LIMIT', {}))).toBeUndefined();
    expect(problemOf(viewShare(a, undefined, new ToolkitError('DT_PEER_UNREACHABLE', { url: 'u', reason: 'r' })))).toMatchObject({
      exitCode: 7,
    });
    expect(['queued', 'succeeded', 'failed', 'canceled', 'refused'].map(isFinalState)).toEqual([false, true, true, true, true]);
  });

  it('from which the others followed decides, and its error is not said twice', () => {
    const down = viewShare(b, undefined, new ToolkitError('DT_PEER_UNREACHABLE', { url: 'u', reason: 'down' }));
    const refused = viewShare(a, undefined, new ToolkitError('DT_POLICY_FIXED_PARAMETER', { key: 'k' }));
    expect(jobFailure(1n, [viewShare(a, run('succeeded'), undefined), down])).toMatchObject({
      error: { code: 'DT_PEER_UNREACHABLE' },
      share: down,
    });
    // A daemon that is away may hide anything; one that says no says why.
    expect(jobFailure(1n, [down, refused])).toMatchObject({ error: { code: 'DT_POLICY_FIXED_PARAMETER' }, share: refused });
    expect(queryFailure([viewShare(a, run('failed'), undefined)])).toBeUndefined();
    expect(plain(renderShares([down, refused]))).toMatch(/down DT_PEER_UNREACHABLE[\s\S]*DT_POLICY_FIXED_PARAMETER/);
    expect(plain(renderShares([down, refused], down))).not.toContain('DT_PEER_UNREACHABLE');
  });

  it('is one line: who, what, state, how long, how much', () => {
    const outputs = [{ name: 'x', sizeBytes: 1, sha256: `0x${'0'.repeat(64)}` as never }];
    const share = viewShare(
      a,
      run('succeeded', { startedAt: '2026-01-01T00:00:00.000Z', finishedAt: '2026-01-01T00:00:02.500Z', attempt: 2, outputs }),
      undefined,
    );
    expect(plain(renderShares([share]))).toBe('✓ Bank A  loans  dt:ownership:aaaaaaaa…  succeeded  2.5 s  1 output  attempt 2');
    const evil = viewShare({ ...a, ownerName: 'Bank\u001b[2J A' }, run('run\u001b[2Jning'), undefined);
    expect(renderShares([evil])).not.toContain('\u001b[2J');
  });
});

describe('folders of outputs', () => {
  it('are named for the asset, then for its owner, then for its token', () => {
    const again = partyOf('c', 'Bank A', 'loans');
    expect(shareFolder(a, [a, partyOf('d', 'Bank B', 'cards')])).toBe('loans');
    expect([shareFolder(a, [a, b]), shareFolder(b, [a, b])]).toEqual(['bank-a-loans', 'bank-b-loans']);
    expect([a, again].map((party) => shareFolder(party, [a, again]))).toEqual(['loans-aaaaaaaa', 'loans-cccccccc']);
  });

  it('never lead out of the folder that was asked for', () => {
    for (const name of ['../../etc', '/etc/passwd', '..', '.', '', 'a/../../b', '\u0000', 'C:\\x'])
      expect(shareFolder(partyOf('e', '..', name), [partyOf('e', '..', name)])).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}-]*$/u);
    expect(shareFolder(partyOf('e', '银行', '信用数据'), [])).toBe('信用数据');
  });
});

describe('lines of parties', () => {
  it('carry the name of their party, in columns, with the asset where an owner has two', () => {
    const prefix = partyPrefixes();
    expect(plain(prefix(a))).toBe('Bank A │');
    expect(plain(prefix(partyOf('b', 'B', 'x')))).toBe('B      │');
    const second = partyOf('c', 'Bank A', 'cards');
    expect(plain(prefix(second))).toBe('Bank A/cards │');
    expect(plain(prefix(a))).toBe('Bank A/loans │');
  });

  it('come from the listener as states and as lines that are safe to print', () => {
    const lines: string[] = [];
    const listener = partyListener((line) => lines.push(plain(line)), { states: true });
    listener.onState?.(a, 'running');
    listener.onLog?.(a, 'stdout', 'one\ntwo\u001b[2J\n');
    expect(lines).toEqual(['Bank A │ running', 'Bank A │ one', 'Bank A │ two']);
  });

  it('of one party alone are its log as it is', () => {
    const share = { ...viewShare(a, run('succeeded'), undefined), log: 'one\ntwo\n' };
    const other = { ...viewShare(b, run('succeeded'), undefined), log: '' };
    expect(renderLogs([share])).toEqual(['one', 'two']);
    expect(renderLogs([share, other]).map(plain)).toEqual(['Bank A │ one', 'Bank A │ two']);
  });
});
