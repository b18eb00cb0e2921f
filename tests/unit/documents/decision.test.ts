import { describe, expect, it } from 'vitest';
import { type Clause, type Decision, digestOfDecision, failedClauses, summarize } from '../../../src/documents/decision/decision.js';
import { digestOfReceipt, type Receipt } from '../../../src/documents/receipt/receipt.js';
import { address, reversed, tokenId } from './fixtures.js';

const clause = (n: number, passed: boolean): Clause => ({
  of: tokenId(n),
  by: tokenId(20),
  pointer: `/services/0/descriptor/constraint/p${n}`,
  rule: 'equals',
  required: n,
  offered: 0,
  passed,
  ...(passed ? {} : { wouldPass: `exactly ${n}` }),
});
const decision: Decision = {
  kind: 'decision',
  daemon: address(1),
  subject: { job: '3', token: tokenId(1) },
  allowed: false,
  clauses: [clause(1, true), clause(2, false)],
  decidedAt: '2026-01-02T03:04:05.000Z',
};

describe('decisions', () => {
  it('are summarized by what failed, with the place and what would pass', () => {
    expect(failedClauses(decision.clauses)).toEqual([clause(2, false)]);
    expect(summarize(decision.clauses)).toBe('/services/0/descriptor/constraint/p2 of dt:ownership:00000000…: exactly 2');
    expect(summarize([clause(1, true)])).toBe('');
  });

  it('name five failures and count the others', () => {
    const many = Array.from({ length: 12 }, (_, i) => clause(i, false));
    expect(summarize(many).split('; ')).toHaveLength(6);
    expect(summarize(many)).toMatch(/; and 7 more$/);
    expect(summarize(many.slice(0, 5))).not.toContain('more');
  });

  it('have a digest that every field changes and no order of keys does', () => {
    const digest = digestOfDecision(decision);
    expect(digestOfDecision(reversed(decision))).toBe(digest);
    const others: readonly Decision[] = [
      { ...decision, allowed: true },
      { ...decision, daemon: address(2) },
      { ...decision, clauses: [] },
      { ...decision, clauses: [clause(2, false), clause(1, true)] },
      { ...decision, decidedAt: '2026-01-02T03:04:06.000Z' },
      { ...decision, subject: { composite: tokenId(3), token: tokenId(1) } },
    ];
    expect(new Set([digest, ...others.map(digestOfDecision)]).size).toBe(others.length + 1);
  });
});

describe('receipts', () => {
  const receipt: Receipt = {
    kind: 'receipt',
    version: 2,
    chain: { chainId: 1337, market: address(7) },
    job: '3',
    algorithm: tokenId(20),
    path: [tokenId(20), tokenId(1)],
    token: tokenId(1),
    owner: address(1),
    consumer: address(2),
    request: digestOfDecision(decision),
    spec: digestOfDecision(decision),
    decision: digestOfDecision(decision),
    outcome: 'succeeded',
    outputs: [{ name: 'a.txt', sizeBytes: 3, sha256: digestOfDecision(decision) }],
    finishedAt: '2026-01-02T03:04:05.000Z',
    software: 'x',
  };

  it('have a digest that every field changes and no order of keys does', () => {
    const digest = digestOfReceipt(receipt);
    expect(digestOfReceipt(reversed(receipt))).toBe(digest);
    const others: readonly Receipt[] = [
      { ...receipt, outcome: 'failed' },
      { ...receipt, outputs: [] },
      { ...receipt, job: '4' },
      { ...receipt, chain: { chainId: 1, market: address(7) } },
      { ...receipt, failure: { code: 'DT_JOB_FAILED', message: '' } },
    ];
    expect(new Set([digest, ...others.map(digestOfReceipt)]).size).toBe(others.length + 1);
  });
});
