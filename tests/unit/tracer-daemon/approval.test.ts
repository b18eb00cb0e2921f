import { expect, it } from 'vitest';
import { type Bytes32, tokenIdOf } from '../../../src/documents/ids.js';
import type { OwnerAnswer } from '../../../src/documents/receipt/receipt.js';
import { heldSubject, isLetOut } from '../../../src/tracer-daemon/pipeline/approval.js';
import type { Ending } from '../../../src/tracer-daemon/pipeline/settle.js';

const digest = (n: number): Bytes32 => `0x${String(n).repeat(64)}` as Bytes32;

it('held outputs leave by the yes to them, and by no other word', () => {
  const outputs = [{ name: 'a', sizeBytes: 1, sha256: digest(1) }];
  const ending: Ending = { end: { outcome: 'succeeded' }, path: [], outputs, held: { forMs: 1 } };
  const run = { requestDigest: digest(5), specDigest: digest(2), token: tokenIdOf('1'.repeat(64)), hold: undefined };
  const said = (outcome: OwnerAnswer['outcome'], subject: Bytes32) => ({ ...run, hold: { outcome, at: '', subject } });
  const subject = heldSubject(run, ending);
  expect(isLetOut(said('approved', subject), ending)).toBe(true);
  expect(isLetOut(said('refused', subject), ending)).toBe(false);
  expect(isLetOut(said('approved', digest(3)), ending)).toBe(false);
  expect(isLetOut(said('approved', subject), { ...ending, outputs: [{ name: 'a', sizeBytes: 1, sha256: digest(4) }] })).toBe(false);
  expect(isLetOut(run, ending)).toBe(false);
  expect(isLetOut(run, { end: ending.end, path: [], outputs })).toBe(true);
});
