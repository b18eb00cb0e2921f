import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readShares, shareRoots } from '../../../web/src/pages/verify/shares.js';

const given = (files: Readonly<Record<string, string>>) => Object.entries(files).map(([path, text]) => ({ path, file: new Blob([text]) }));
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sha256 = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`;

describe('files that are dropped on the page Verify', () => {
  it('a receipt by itself goes as it is', async () => {
    expect(await readShares(given({ 'any.json': '{"x":"é"}' }))).toEqual({
      shares: [{ source: 'any.json', file: base64('{"x":"é"}') }],
      isWholeJob: false,
    });
  });

  it('documents of one party without their folder stay together', async () => {
    const { shares } = await readShares(given({ 'receipt.json': '1', 'spec.json': '2' }));
    expect(shares).toEqual([{ source: 'receipt.json, spec.json', documents: { receipt: base64('1'), spec: base64('2') } }]);
  });

  it('of a job folder only the documents and digests leave the browser', async () => {
    const { shares, isWholeJob } = await readShares(
      given({ 'run/receipt.json': '1', 'run/released/result.json': 'rows', 'run/logs/operator.log': '' }),
    );
    expect(isWholeJob).toBe(false);
    expect(shares).toEqual([
      {
        source: 'run',
        documents: { receipt: base64('1') },
        folder: {
          kind: 'job',
          files: [
            { name: 'receipt.json', sizeBytes: 1, sha256: sha256('1') },
            { name: 'released/result.json', sizeBytes: 4, sha256: sha256('rows') },
            { name: 'logs/operator.log', sizeBytes: 0, sha256: sha256('') },
          ],
          others: [],
        },
      },
    ]);
    expect(JSON.stringify(shares)).not.toContain(base64('rows'));
  });

  it('downloads with their evidence beside are a whole job', async () => {
    const { shares, isWholeJob } = await readShares(
      given({
        'job/a/out.json': 'a',
        'job/a.evidence/receipt.json': '1',
        'job/a.evidence/odd.txt': '?',
        'job/b.evidence/receipt.json': '2',
      }),
    );
    expect(isWholeJob).toBe(true);
    expect(shares).toMatchObject([
      { source: 'job/a.evidence', folder: { kind: 'outputs', files: [{ name: 'out.json' }], others: ['a.evidence/odd.txt'] } },
      { source: 'job/b.evidence', folder: { kind: 'outputs', files: [] } },
    ]);
  });

  it('a job folder whose receipt is gone is one all the same, and nothing within it another', () => {
    expect(shareRoots(['r/operator/x', 'r/released/receipt.json', 'r/logs/l', 'other/x'])).toEqual(['r']);
  });

  it.each([
    ['none', { 'folder/photo.png': 'x' }],
    ['large', { 'receipt.json': 'x'.repeat(300_001) }],
  ])('%s is said', async (reason, files) => {
    await expect(readShares(given(files as Record<string, string>))).rejects.toMatchObject({ reason });
  });
});
