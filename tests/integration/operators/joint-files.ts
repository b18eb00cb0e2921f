import { jointTable, numbers } from '../../unit/privacy/joint-table.js';
import type { JointParty } from './run-joint.js';

/** The tables of two banks as text, and what is in them. */
export interface JointFiles {
  readonly a: string[][];
  readonly b: string[][];
  readonly labels: string[];
  readonly namesA: readonly string[];
  readonly namesB: readonly string[];
}

export function jointFiles(seed: number, rows: number, widths: readonly [number, number]): JointFiles {
  const table = jointTable(seed, rows, widths);
  const cells = (bank: 'bank0' | 'bank1', width: number): string[][] =>
    Array.from({ length: rows }, (_, i) =>
      Array.from(table[bank].columns.values.subarray(i * width, (i + 1) * width), (value) => value.toFixed(5)),
    );
  return {
    a: cells('bank0', widths[0]),
    b: cells('bank1', widths[1]),
    labels: Array.from(table.bank0.labels.values as Float64Array, String),
    namesA: table.bank0.columns.names,
    namesB: table.bank1.columns.names,
  };
}

export const csv = (names: readonly string[], rows: readonly (readonly string[])[]): string =>
  `${[names, ...rows].map((row) => row.join(',')).join('\n')}\n`;

/** The parties of the original: features and label at seat 0, features at seat 1, nothing at seat 2. */
export function originalParties({ a, b, labels, namesA, namesB }: JointFiles): [JointParty, JointParty, JointParty] {
  return [
    {
      name: 'Bank A',
      inputs: {
        0: { file: 'org1_feature.csv', data: csv(namesA, a) },
        2: {
          file: 'org1_label.csv',
          data: csv(
            ['y'],
            labels.map((label) => [label]),
          ),
        },
      },
    },
    { name: 'Bank B', inputs: { 1: { file: 'org2_feature.csv', data: csv(namesB, b) } } },
    { name: 'Fintech C', inputs: {} },
  ];
}

/** Files with an identifier of text, a column of text with holes, and the label among A's columns. */
export function wholeParties({ a, b, labels, namesA, namesB }: JointFiles): [JointParty, JointParty, JointParty] {
  const next = numbers(4);
  const channel = (): string => ['branch', 'online', '"by phone, mostly"', ''][Math.floor(next() * 4)] ?? '';
  const id = (i: number): string => `C${String(i).padStart(6, '0')}`;
  return [
    {
      name: 'Bank A',
      inputs: {
        0: {
          file: 'bank_a.csv',
          data: csv(
            ['id', 'y', ...namesA, 'channel'],
            a.map((row, i) => [id(i), labels[i] ?? '', ...row, channel()]),
          ),
        },
      },
    },
    {
      name: 'Bank B',
      inputs: {
        1: {
          file: 'bank_b.csv',
          data: csv(
            ['id', ...namesB],
            b.map((row, i) => [id(i), ...row]),
          ),
        },
      },
    },
    { name: 'Fintech C', inputs: {} },
  ];
}
