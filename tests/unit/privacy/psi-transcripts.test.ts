import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { type MessageKind, messageKinds } from '../../../src/privacy/message-link.js';
import { type PsiRun, startPsi } from './psi-parties.js';
import { chiSquareLimit, Recorder, wordStatistics } from './recording.js';

/** What the headers name as public, or as an output; the proof is a hash, the points have a form. */
const openKinds: readonly MessageKind[] = [
  'terms',
  'publicKey',
  'psiShape',
  'psiBaseKey',
  'psiBasePoints',
  'psiLocations',
  'psiVerdict',
  'psiMatches',
];
const count = 3_000;

/** Two worlds of the same sizes and the same number of common ids: neighbouring numbers, and long texts that are almost all alike. */
const worlds: readonly [readonly string[], readonly string[]][] = [
  [Array.from({ length: count }, (_, i) => `${i}`), Array.from({ length: count }, (_, i) => `${i + count / 2}`)],
  [
    Array.from({ length: count }, (_, i) => `${'z'.repeat(300)}${i}`),
    Array.from({ length: count }, (_, i) => `${(i % 2 === 0 ? 'z' : 'y').repeat(300)}${i}`),
  ],
];

async function record(world: readonly [readonly string[], readonly string[]], run: PsiRun): Promise<Recorder> {
  const recorder = new Recorder();
  await Promise.all(startPsi({ ids: world[0] }, { ids: world[1] }, { ...run, wrap: recorder.wrap }));
  return recorder;
}

const shapeOf = (recorder: Recorder): string[] =>
  ['party0', 'party1', 'dealer'].map((name) =>
    recorder.messages
      .filter(({ receiver }) => receiver === name)
      .map(({ kind, payload }) => `${kind} ${payload.byteLength}`)
      .join('\n'),
  );

const masked = {
  kkrt: ['psiMasked', 'psiTags'],
  ecdh: ['psiElements', 'psiReturned'],
  dealt: ['psiMaskedBins', 'psiDealt', 'psiMasked', 'psiTags'],
} as const;

describe.each([
  ['kkrt', 'aligned', 1],
  ['kkrt', 'one', 1],
  ['ecdh', 'cardinality', 0.2],
  ['dealt', 'cardinality', 1],
] as const)('what each side receives by %s for %s', (protocol, result, share) => {
  it('is uniform for two very different inputs, with the same sizes and rounds', async () => {
    const shapes: string[][] = [];
    for (const world of worlds) {
      const part = [world[0].slice(0, count * share), world[1].slice(0, count * share)] as const;
      const kind = protocol === 'dealt' ? ({ protocol: 'kkrt', dealer: true } as const) : { protocol };
      const recorder = await record(part, { ...kind, result, ...(result === 'one' ? { to: 1 } : {}) });
      shapes.push(shapeOf(recorder));
      const tested = new Set<MessageKind>();
      for (const receiver of ['party0', 'party1']) {
        for (const kind of recorder.kindsOf(receiver)) {
          if (openKinds.includes(kind)) continue;
          const bytes = recorder.bytesOf(receiver, [kind]);
          if (bytes.byteLength < 8 * 256 * 4) continue;
          tested.add(kind);
          const { all, top, bottom } = wordStatistics(bytes);
          expect(all, kind).toBeLessThan(chiSquareLimit);
          expect(top, `${kind}, top bytes`).toBeLessThan(chiSquareLimit);
          expect(bottom, `${kind}, bottom bytes`).toBeLessThan(chiSquareLimit);
        }
      }
      expect([...tested]).toEqual(expect.arrayContaining([...masked[protocol]]));
    }
    expect(shapes[0]).toEqual(shapes[1]);
  });
});

describe('who deals for a count', () => {
  it('hears terms, roles and the number of bins, whatever the ids are', async () => {
    for (const world of worlds) {
      const recorder = await record(world, { result: 'cardinality', protocol: 'kkrt', dealer: true });
      const heard = recorder.messages.filter(({ receiver }) => receiver === 'dealer');
      expect(heard.map(({ kind }) => kind).sort()).toEqual(['shape', 'shape', 'terms', 'terms']);
      const shapes = heard.filter(({ kind }) => kind === 'shape').map(({ payload }) => [...new Uint32Array(payload.slice().buffer)]);
      expect(shapes.sort()).toEqual([
        [1, 3_840],
        [2, 3_840],
      ]);
    }
  });
});

describe('what a side that gets no result receives', () => {
  it('is no bit about the ids: the sender of kkrt sees the same kinds and sizes whatever is common', async () => {
    const [a, b] = worlds[0] as (typeof worlds)[number];
    const none = b.map((id) => `x${id}`);
    const views = [];
    for (const world of [
      [a, b],
      [a, none],
    ] as const) {
      const recorder = await record(world, { protocol: 'kkrt', result: 'one', to: 0 });
      expect(recorder.kindsOf('party1')).not.toContain('psiMatches');
      expect([...recorder.bytesOf('party1', ['psiVerdict'])]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
      views.push(shapeOf(recorder)[1]);
    }
    expect(views[0]).toBe(views[1]);
  });

  it('does not tell by how much a demand was missed', async () => {
    const verdicts = [];
    for (const common of [0, 4]) {
      const recorder = new Recorder();
      const a = Array.from({ length: 20 }, (_, i) => `${i}`);
      const b = a.map((id, i) => (i < common ? id : `x${id}`));
      await Promise.allSettled(startPsi({ ids: a }, { ids: b, minIntersection: 5 }, { result: 'cardinality', wrap: recorder.wrap }));
      expect(recorder.kindsOf('party1').slice(-1)).toEqual(['psiVerdict']);
      verdicts.push([...recorder.bytesOf('party1', ['psiVerdict'])], shapeOf(recorder));
    }
    expect(verdicts[0]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(verdicts.slice(0, 2)).toEqual(verdicts.slice(2));
  });

  it('masks each run anew: no row and no tag comes twice', async () => {
    const rows = new Set<string>();
    let total = 0;
    for (let i = 0; i < 2; i++) {
      const recorder = await record(worlds[0] as (typeof worlds)[number], { protocol: 'kkrt' });
      const bytes = Buffer.from(recorder.bytesOf('party1', ['psiMasked']));
      for (let at = 0; at < bytes.byteLength; at += 56, total++) rows.add(bytes.toString('latin1', at, at + 56));
      const tags = Buffer.from(recorder.bytesOf('party0', ['psiTags']));
      for (let at = 0; at < tags.byteLength; at += 8, total++) rows.add(tags.toString('latin1', at, at + 8));
    }
    expect(rows.size).toBe(total);
  });
});

const faults = ['vanish', 'garbage', 'short', 'long', 'replay', 'kind'] as const;
type Fault = (typeof faults)[number];

/** Spoils the message number `after` of one side; `spoiled` hears what it was. */
function lying(channel: Channel, fault: Fault, after: number, spoiled: (kind: number | undefined) => void): Channel {
  let sent = 0;
  let last = new Uint8Array(3);
  return {
    peer: channel.peer,
    counters: channel.counters,
    transcript: () => channel.transcript(),
    receive: () => channel.receive(),
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
    send: async (message) => {
      const copy = message.slice();
      if (sent++ !== after) {
        last = copy;
        return channel.send(message);
      }
      spoiled(message[0]);
      switch (fault) {
        case 'vanish':
          return channel.close();
        case 'garbage':
          return channel.send(copy.map((byte, i) => (byte * 5 + i + 1) & 255));
        case 'short':
          return channel.send(copy.subarray(0, copy.byteLength - 1));
        case 'long':
          return channel.send(
            Uint8Array.of(...copy.subarray(0, 2_000), ...copy.subarray(2_000, 4_000), 1).subarray(0, copy.byteLength + 1),
          );
        case 'replay':
          return channel.send(last);
        case 'kind':
          copy[0] = messageKinds.maskedColumns;
          return channel.send(copy);
      }
    },
  };
}

describe.each(['kkrt', 'ecdh', 'dealt'] as const)('a lying or vanishing side in %s', (protocol) => {
  const kind: PsiRun = protocol === 'dealt' ? { protocol: 'kkrt', result: 'cardinality', dealer: true } : { protocol };

  it('ends the run on both sides with a cause that names it', async () => {
    const a = Array.from({ length: 12 }, (_, i) => `${i}`);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 1),
        fc.constantFrom(...faults),
        fc.nat(protocol === 'dealt' ? 14 : 9),
        async (who, fault, after) => {
          let struck: number | undefined;
          const wrap = (channel: Channel, owner: string): Channel =>
            owner === `party${who}`
              ? lying(channel, fault, after, (kind) => {
                  struck = kind;
                })
              : channel;
          const sides = startPsi({ ids: a }, { ids: a.slice(4) }, { ...kind, wrap, channels: { stallMs: 3_000 } });
          const [honest, liar] = await Promise.allSettled([sides[(1 - who) as 0 | 1], sides[who as 0 | 1]]);
          expect(honest.status).toBe(struck === undefined ? 'fulfilled' : 'rejected');
          if (struck === undefined) return;
          const error = (honest as PromiseRejectedResult).reason as ToolkitError;
          expect(error.code).toMatch(/^DT_PEER_(PROTOCOL|GONE|TERMS|ABORTED)$/);
          expect(error.message).toContain(`party${who}`);
          // After its last word it has nothing more to hear.
          if (struck !== messageKinds.psiProof && !(protocol === 'dealt' && struck === messageKinds.psiVerdict))
            expect(liar.status).toBe('rejected');
        },
      ),
      { numRuns: protocol === 'ecdh' ? 60 : 25 },
    );
  }, 60_000);

  if (protocol === 'dealt') return;
  it('that names a common id which is none fails the proof of alignment on both sides', async () => {
    const a = Array.from({ length: 16 }, (_, i) => `${i}`);
    const wrap = (channel: Channel, owner: string): Channel =>
      owner === 'party0'
        ? {
            ...lying(channel, 'kind', -1, () => undefined),
            send: (message) => {
              // All places but those that are marked, as many as before: eight of sixteen are common.
              if (message[0] === messageKinds.psiMatches)
                for (let i = 8; i < message.byteLength; i++) message[i] = (message[i] as number) ^ 255;
              return channel.send(message);
            },
          }
        : channel;
    const b = a.map((id, i) => (i % 2 === 0 ? id : `x${id}`));
    const outcomes = await Promise.allSettled(startPsi({ ids: a }, { ids: b }, { protocol, wrap }));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        reason: { code: expect.stringMatching(/^DT_PEER_(PROTOCOL|ABORTED)$/), message: expect.stringMatching(/common ids/) },
      });
    }
  });
});
