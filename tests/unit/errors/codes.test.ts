import { describe, expect, it } from 'vitest';
import { type ErrorEntry, errorTable, isErrorCode } from '../../../src/errors/codes.js';
import { findNamedCodes, findThrownErrors } from './thrown-errors.js';

const rows: readonly (readonly [string, ErrorEntry])[] = Object.entries(errorTable);
const placeholders = (entry: ErrorEntry): readonly string[] => [
  ...new Set([...`${entry.message} ${entry.hint}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')),
];

/** The exit code of a command by the area in the middle of the code. */
const exitOfArea: Readonly<Record<string, number>> = {
  BUG: 1,
  INPUT: 2,
  CONFIG: 2,
  STORE: 2,
  KEY: 2,
  NAME: 2,
  PORT: 2,
  HTTP: 2,
  DEMO: 2,
  PSI: 2,
  ASSET: 3,
  OPERATOR: 3,
  ORG: 3,
  DOCUMENT: 3,
  DATASET: 3,
  AUTH: 4,
  WEB: 4,
  POLICY: 5,
  CHAIN: 6,
  INDEX: 6,
  PEER: 7,
  LINK: 7,
  JOINT: 7,
  JOB: 8,
  SANDBOX: 8,
  RECEIPT: 9,
};
/** The decision of a peer, and what an owner demands of a result, are ones of policy, wherever they were made. */
const exitOfCode: Readonly<Record<string, number>> = { DT_JOINT_REFUSED: 5, DT_PSI_TOO_FEW: 5 };

describe('the table of errors', () => {
  it.each(rows)('%s is a complete row', (code, entry) => {
    expect(code).toMatch(/^DT_[A-Z]+(_[A-Z0-9]+)+$/);
    expect(entry.message.trim()).toBe(entry.message);
    expect(entry.message.length).toBeGreaterThan(10);
    expect(entry.hint.trim()).toBe(entry.hint);
    expect(entry.hint.length).toBeGreaterThan(5);
    expect(entry.hint).not.toBe(entry.message);
    expect(entry.message, 'a sentence, or a sentence that ends in a reason').toMatch(/[.}]$/);
    expect(`${entry.message}${entry.hint}`, 'every brace is a placeholder').not.toMatch(/\{(?!\w+\})|(?<!\{\w+)\}/);
  });

  it.each(rows)('%s has the exit code of its area and an HTTP status of a failure', (code, { exit, http, retryable }) => {
    const area = code.split('_')[1] ?? '';
    expect(exitOfArea, `the area ${area} is not known to this test`).toHaveProperty(area);
    expect(exit).toBe(exitOfCode[code] ?? exitOfArea[area]);
    expect(Number.isInteger(http) && http >= 400 && http <= 504).toBe(true);
    // 4xx says that the request is at fault; sending the same again helps only where something else can change meanwhile.
    if (retryable) expect([409, 422, 425, 429, 500, 502, 503, 504]).toContain(http);
  });

  it('says everything in its own words', () => {
    const messages = rows.map(([, entry]) => entry.message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  it('knows its codes and no inherited names', () => {
    for (const [code] of rows) expect(isErrorCode(code)).toBe(true);
    for (const other of ['', 'DT_', 'toString', 'constructor', '__proto__', 'hasOwnProperty', undefined, null, 5, ['DT_BUG_UNEXPECTED']])
      expect(isErrorCode(other)).toBe(false);
  });
});

describe('errors that are thrown', () => {
  const thrown = findThrownErrors();

  it('are found', () => {
    expect(thrown.length).toBeGreaterThan(100);
    expect(thrown.filter((one) => one.keys !== undefined).length).toBeGreaterThan(100);
  });

  it('have codes of the table', () => {
    expect(thrown.filter((one) => !isErrorCode(one.code))).toEqual([]);
  });

  it('use every row of the table', () => {
    const named = findNamedCodes();
    expect(rows.map(([code]) => code).filter((code) => !named.has(code))).toEqual([]);
  });

  it('fill every placeholder of their message and hint', () => {
    const problems = thrown.flatMap(({ where, code, keys, open }) => {
      if (!isErrorCode(code) || keys === undefined || open) return [];
      const missing = placeholders(errorTable[code]).filter((name) => !keys.includes(name));
      return missing.length === 0 ? [] : [`${where} ${code} does not give ${missing.join(', ')}`];
    });
    expect(problems).toEqual([]);
  });

  it('use every placeholder at least once where details are written out', () => {
    const given = new Map<string, Set<string>>();
    for (const { code, keys } of thrown) for (const key of keys ?? []) given.set(code, (given.get(code) ?? new Set()).add(key));
    const orphaned = rows.flatMap(([code, entry]) => {
      const keys = given.get(code);
      return keys === undefined
        ? []
        : placeholders(entry)
            .filter((name) => !keys.has(name) && thrown.every((one) => one.code !== code || !one.open))
            .map((name) => `${code} {${name}}`);
    });
    expect(orphaned).toEqual([]);
  });
});
