import { describe, expect, it } from 'vitest';
import { buildDdo, parseAssetAttributes, parseDdo, saltOfAsset } from '../../../src/documents/ddo/ddo.js';
import { deadlineMs, namesOutput } from '../../../src/documents/ddo/release-terms.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { address, algorithmAttributes, algorithmFile, changed, created, leafAttributes, leafFile, tokenId } from './fixtures.js';

const service = ['services', 0] as const;
const withTerms = (terms: object): object => changed(leafFile, service, { ...leafFile.services[0], ...terms });

function pointerOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof ToolkitError && error.code === 'DT_DOCUMENT_INVALID') return error.details['pointer'];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('what a leaf lets out', () => {
  it('changes no token id where nothing is said', () => {
    expect(saltOfAsset(leafAttributes())).toBe('0x8eef8b4832fe04f3f4cf5c866689c6a08d5e7c11c317115b54706bd4811d072d');
    expect(saltOfAsset(algorithmAttributes())).toBe('0x1267d614649fc1e49f8c548be01f9ba591294e7f6892f3e866e663c378ff5885');
  });

  it.each<[string, object]>([
    ['nothing at all', { outputs: [] }],
    [
      'files by name, form, size and reader',
      {
        outputs: [
          { name: 'metrics.json', mediaType: 'application/json', schema: { type: 'object' }, maxBytes: 1000 },
          { name: 'tables/*.csv', minGroupSize: { column: 'n', size: 10 }, hold: { deadlineHours: 0.5 } },
          { name: 'model/model.json', recipient: 'owner', hold: true },
        ],
      },
    ],
    ['what its owner approves', { approval: 'manual' }],
    ['what its owner approves in time', { approval: { deadlineHours: 24 } }],
    ['for a day', { retentionHours: 24 }],
    ['to so many jobs', { runs: { limit: 3 } }],
    ['to so many jobs of one consumer in a day', { runs: { limit: 3, perHours: 24, per: 'consumer' } }],
  ])('%s: published as it was written, with a token id of its own', (_, terms) => {
    const attributes = parseAssetAttributes(withTerms(terms));
    expect(parseDdo(buildDdo(attributes, tokenId(7), address(3), created)).services[0]).toMatchObject(terms);
    expect(saltOfAsset(attributes)).not.toBe(saltOfAsset(leafAttributes()));
  });

  it.each<[string, object, string]>([
    ['an output without name', { outputs: [{}] }, '/services/0/outputs/0'],
    ['no job at all', { runs: { limit: 0 } }, '/services/0/runs/limit'],
    ['jobs without a number', { runs: { perHours: 24 } }, '/services/0/runs'],
    ['jobs of somebody', { runs: { limit: 1, per: 'job' } }, '/services/0/runs/per'],
    ['a key nobody knows', { outputs: [{ name: 'a', holds: true }] }, '/services/0/outputs/0'],
    ['a path upwards', { outputs: [{ name: 'a' }, { name: '../a' }] }, '/services/0/outputs/1/name'],
    ['an absolute path', { outputs: [{ name: '/a' }] }, '/services/0/outputs/0/name'],
    ['two stars', { outputs: [{ name: '*/*' }] }, '/services/0/outputs/0/name'],
    ['a form that is not checked', { outputs: [{ name: 'a', mediaType: 'application/pdf' }] }, '/services/0/outputs/0/mediaType'],
    ['a schema for a table', { outputs: [{ name: 'a', mediaType: 'text/csv', schema: {} }] }, '/services/0/outputs/0/schema'],
    [
      'groups in JSON',
      { outputs: [{ name: 'a', mediaType: 'application/json', minGroupSize: { column: 'n', size: 2 } }] },
      '/services/0/outputs/0/minGroupSize',
    ],
    ['groups of none', { outputs: [{ name: 'a', minGroupSize: { column: 'n', size: 0 } }] }, '/services/0/outputs/0/minGroupSize/size'],
    ['hold: false, which says nothing', { outputs: [{ name: 'a', hold: false }] }, '/services/0/outputs/0/hold'],
    ['another reader', { outputs: [{ name: 'a', recipient: 'everyone' }] }, '/services/0/outputs/0/recipient'],
    ['approval by itself', { approval: 'auto' }, '/services/0/approval'],
    ['a deadline that has passed', { approval: { deadlineHours: 0 } }, '/services/0/approval'],
    ['no time at all', { retentionHours: 0 }, '/services/0/retentionHours'],
  ])('may not have %s', (_, terms, where) => {
    expect(pointerOf(() => parseAssetAttributes(withTerms(terms)))).toBe(where);
  });

  it.each(['outputs', 'approval', 'retentionHours'])('is nothing for a level above to say: %s', (key) => {
    const terms = { outputs: [], approval: 'manual', retentionHours: 1 };
    const file = changed(algorithmFile, [...service, key], terms[key as keyof typeof terms]);
    expect(pointerOf(() => parseAssetAttributes(file))).toBe(`/services/0/${key}`);
  });
});

describe('the name of a rule', () => {
  it.each<[string, string, boolean]>([
    ['a.json', 'a.json', true],
    ['a.json', 'b/a.json', false],
    ['a.json', 'aXjson', false],
    ['*.csv', 'x.csv', true],
    ['*.csv', '.csv', true],
    ['*.csv', 'x/y.csv', false],
    ['t/*.csv', 't/y.csv', true],
    ['t/*', 't/y/z', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['*', 'anything', true],
  ])('%s about %s: %s', (name, file, expected) => {
    expect(namesOutput({ name }, file)).toBe(expected);
  });
});

describe('deadlines', () => {
  it('are a week where the document gives none', () => {
    expect([deadlineMs(true), deadlineMs('manual'), deadlineMs({ deadlineHours: 0.5 })]).toEqual([604_800_000, 604_800_000, 1_800_000]);
  });
});
