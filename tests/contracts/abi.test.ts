import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Interface } from 'ethers/abi';
import { describe, expect, it } from 'vitest';
import { createCodecs } from '../../src/ledger/evm/codecs.js';
import { revertTable } from '../../src/ledger/evm/revert-advice.js';
import { decodeRevert } from '../../src/ledger/evm/reverts.js';

describe('generated ABIs', () => {
  it('are those of the contracts as they are now', () => {
    const script = fileURLToPath(new URL('../../scripts/contracts.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 60_000);
});

describe('advice for what the contracts refuse', () => {
  const codecs = createCodecs();
  const errors = new Map<string, { inputs: readonly { name: string; type: string }[]; codec: Interface }>();
  for (const codec of codecs.all()) codec.forEachError((error) => errors.set(error.name, { inputs: error.inputs, codec }));

  it('is there for each error, and for none that does not exist', () => {
    expect(Object.keys(revertTable).sort()).toEqual([...errors.keys()].sort());
  });

  it.each([...errors.keys()])('%s names what it is about and leaves nothing open', (name) => {
    const { inputs, codec } = errors.get(name)!;
    expect(revertTable[name]?.kinds.length).toBe(inputs.length);
    const values = inputs.map(({ type }) =>
      type === 'address' ? `0x${'12'.repeat(20)}` : type === 'bytes32' ? `0x${'34'.repeat(32)}` : 77n,
    );
    const revert = decodeRevert(codecs, codec.encodeErrorResult(name, values), 'execution reverted');
    expect(revert.name).toBe(name);
    expect(revert.text).toMatch(new RegExp(`^${name}\\(`));
    expect(revert.advice).not.toMatch(/[{}]/);
  });

  it('shows tokens, roles and times as people know them', () => {
    const grant = codecs.of('tokens').encodeErrorResult('TokenGrantNotLive', [1n, 2n, 1_800_000_000n]);
    const [child, composite] = ['1', '2'].map((digit) => `dt:ownership:${digit.padStart(64, '0')}`);
    expect(decodeRevert(codecs, grant, '').text).toBe(`TokenGrantNotLive(${child}, ${composite}, expired 2027-01-15T08:00:00.000Z)`);
    const account = `0x${'ab'.repeat(20)}`;
    const role = codecs.of('market').encodeErrorResult('AccessControlUnauthorizedAccount', [account, `0x${'00'.repeat(32)}`]);
    expect(decodeRevert(codecs, role, '').text).toBe(`AccessControlUnauthorizedAccount(${account}, administrator)`);
  });

  it('shows what is no error of ours as it came', () => {
    expect(decodeRevert(codecs, undefined, 'execution reverted').text).toBe('execution reverted');
    expect(decodeRevert(codecs, '0x12345678', 'execution reverted').text).toBe('execution reverted 0x12345678');
    expect(decodeRevert(codecs, '0x', 'out of gas').name).toBe('');
  });
});
