import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageLink, messageHeaderBytes } from '../../../src/privacy/message-link.js';
import { plaintextSum } from '../../../src/privacy/statistics/plaintext-sum.js';
import { type SumOptions, type SumParty, secureSum, sumDefaults } from '../../../src/privacy/statistics/secure-sum.js';
import { mesh } from './mesh.js';
import { chiSquareLimit, Recorder, wordStatistics } from './recording.js';
import { testRandom } from './three-parties.js';

type Values = readonly (readonly number[] | undefined)[];

function optionsFor(values: Values, changes: Partial<SumOptions> = {}): SumOptions {
  const parties = values.map((_, i) => `${i}`);
  const contributors = parties.filter((_, i) => values[i] !== undefined);
  const names = (values.find((own) => own !== undefined) ?? []).map((_, i) => `v${i}`);
  return { ...sumDefaults, jobDigest: 'ab'.repeat(32), names, parties, contributors, recipients: parties, ...changes };
}

function run(values: Values, changes: Partial<SumOptions> = {}, parties: readonly SumParty[] = mesh(values.length), seed?: number) {
  const options = optionsFor(values, changes);
  return Promise.all(parties.map((party, i) => secureSum(party, options, values[i], testRandom(seed, i))));
}

/** What each side ends with: every one of them ends. */
const outcomes = (runs: readonly Promise<unknown>[]): Promise<readonly unknown[]> =>
  Promise.all(
    runs.map((one) =>
      one.then(
        () => 'done',
        (error) => error,
      ),
    ),
  );

const within = (limit: number): fc.Arbitrary<number> => fc.double({ min: -limit, max: limit, noNaN: true });

describe('the secure sum', () => {
  it('equals the plaintext sum to the last bit, for any number of parties and any values in range', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 3, max: 6 })
          .chain((parties) =>
            fc
              .integer({ min: 1, max: 5 })
              .chain((count) =>
                fc.array(fc.array(within(2 ** 40), { minLength: count, maxLength: count }), { minLength: parties, maxLength: parties }),
              ),
          ),
        async (values) => {
          const expected = plaintextSum(values, optionsFor(values));
          for (const result of await run(values)) expect(result).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is the sum up to half a step of the fixed point for each party', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(within(1e6), { minLength: 3, maxLength: 5 }), async (values) => {
        const [result] = await run(values.map((value) => [value]));
        const exact = values.reduce((sum, value) => sum + value, 0);
        expect(Math.abs((result?.[0] ?? Number.NaN) - exact)).toBeLessThanOrEqual(values.length * 2 ** -17 + 1e-9);
      }),
      { numRuns: 20 },
    );
  });

  it('holds at the very ends of the range, and counts exactly', async () => {
    const largest = 2 ** 40;
    expect((await run([[largest], [largest], [largest]]))[0]).toEqual(Float64Array.of(3 * largest));
    expect((await run([[-largest], [-largest], [-largest]]))[0]).toEqual(Float64Array.of(-3 * largest));
    expect((await run([[1234567], [0], [7654321]]))[1]).toEqual(Float64Array.of(8888888));
  });

  it('is told to the recipients only; a helper may be one', async () => {
    const [a, b, c, helper] = await run([[1], [2], [4], undefined], { recipients: ['1', '3'] });
    expect([a, c]).toEqual([undefined, undefined]);
    expect([b, helper]).toEqual([Float64Array.of(7), Float64Array.of(7)]);
    expect(await run([[1], [2], undefined], { recipients: ['2'] })).toEqual([undefined, undefined, Float64Array.of(3)]);
  });

  it('is the same again from the same seeds', async () => {
    const record = async (): Promise<unknown> => {
      const recorder = new Recorder();
      await run([[1], [2], [3]], {}, mesh(3, {}, recorder.wrap), 17);
      return recorder.messages
        .map(({ receiver, sender, kind, payload }) => `${receiver} ${sender} ${kind} ${Buffer.from(payload).toString('hex')}`)
        .sort();
    };
    expect(await record()).toEqual(await record());
  });
});

describe('what is refused before anything is sent', () => {
  const refused = async (values: Values, changes: Partial<SumOptions>, words: RegExp): Promise<void> => {
    const parties = mesh(values.length);
    const [first] = await outcomes([secureSum(parties[0] as SumParty, optionsFor(values, changes), values[0], testRandom(1, 0))]);
    expect(first).toMatchObject({ code: 'DT_INPUT_INVALID', message: expect.stringMatching(words) });
    expect(parties[0]?.channel('1').counters.messagesSent).toBe(0);
  };

  it.each<[string, Values, Partial<SumOptions>, RegExp]>([
    ['a sum of two that one of the two gets', [[1], [2]], {}, /at least 3 are needed/],
    ['a sum of two that a contributor and a helper get', [[1], [2], undefined], {}, /at least 3 are needed/],
    ['a sum of one, for whomever', [[1], undefined], { recipients: ['1'], allowTwo: true }, /the sum of one is its value/],
    ['no recipient', [[1], [2], [3]], { recipients: [] }, /nobody would get the sum/],
    ['an unknown recipient', [[1], [2], [3]], { recipients: ['7'] }, /no seat 7/],
    ['a contributor twice', [[1], [2], [3]], { contributors: ['0', '0', '1'] }, /named twice/],
    ['a value that is too large', [[2 ** 40 + 1], [2], [3]], {}, /"v0" is not valid: it is beyond/],
    ['NaN', [[Number.NaN], [2], [3]], {}, /"v0".*not finite/],
    ['an infinite value', [[Number.NEGATIVE_INFINITY], [2], [3]], {}, /"v0".*not finite/],
    ['a range that could wrap', [[1], [2], [3]], { largest: 2 ** 46 }, /does not fit/],
    ['a wrong number of values', [[1], [2], [3]], { names: ['a', 'b'] }, /has 1 and not 2/],
    ['names without end', [[1], [2], [3]], { names: ['x'.repeat(9000)] }, /more than/],
  ])('%s', (_, values, changes, words) => refused(values, changes, words));

  it('but two may, when they say so', async () => {
    expect((await run([[1.5], [2]], { allowTwo: true }))[0]).toEqual(Float64Array.of(3.5));
  });

  it('and never says the value', async () => {
    const values: Values = [[98765432109876], [2], [3]];
    const [first] = await outcomes([secureSum(mesh(3)[0] as SumParty, optionsFor(values), values[0], testRandom(1, 0))]);
    expect(String(first)).not.toContain('98765');
  });
});

describe('what each party receives in the secure sum', () => {
  const many = 700;
  const world = (value: number): Values =>
    Array.from({ length: 3 }, (_, i) => Array.from({ length: many }, (_, j) => value * (i + 1) + (j % 3)));

  it('is uniform for two very different inputs, with the same sizes and rounds', async () => {
    const shapes: string[][] = [];
    for (const value of [0, 2 ** 38]) {
      const recorder = new Recorder();
      await run(world(value), {}, mesh(3, {}, recorder.wrap));
      for (const receiver of ['0', '1', '2']) {
        const { all, top, bottom } = wordStatistics(recorder.bytesOf(receiver, ['maskedValues']));
        for (const statistic of [all, top, bottom]) expect(statistic, receiver).toBeLessThan(chiSquareLimit);
      }
      shapes.push(
        recorder.messages.map(({ receiver, sender, kind, payload }) => `${receiver} ${sender} ${kind} ${payload.byteLength}`).sort(),
      );
    }
    expect(shapes[0]).toEqual(shapes[1]);
  });

  it('is uniform from each sender alone, when the recipient has no mask of its own in it', async () => {
    // What is left of a contributor's words when a recipient takes off the masks that it knows: here it knows none.
    const parts: Record<string, Uint8Array[]> = { 0: [], 1: [] };
    for (let round = 0; round < 3; round++) {
      const recorder = new Recorder();
      await run([...world(2 ** 38).slice(0, 2), undefined], { recipients: ['2'] }, mesh(3, {}, recorder.wrap));
      for (const message of recorder.messages) if (message.kind === 'maskedValues') parts[message.sender]?.push(message.payload);
    }
    for (const sender of ['0', '1']) {
      const bytes = Buffer.concat(parts[sender] ?? []);
      expect(bytes.byteLength).toBe(3 * 8 * many);
      const { all, top, bottom } = wordStatistics(bytes);
      for (const statistic of [all, top, bottom]) expect(statistic, sender).toBeLessThan(chiSquareLimit);
      // No mask is used twice, in one run or in two.
      expect(new Set(new BigUint64Array(Uint8Array.from(bytes).buffer)).size).toBe(3 * many);
    }
  });

  it('would not pass without masks', () => {
    const words = BigInt64Array.from({ length: many }, (_, j) => BigInt(2 ** 38 + (j % 3)) << 16n);
    expect(wordStatistics(new Uint8Array(words.buffer)).top).toBeGreaterThan(10 * chiSquareLimit);
  });

  it('costs four rounds and what the header says', async () => {
    const parties = mesh(4);
    await run([[1, 2, 3], [1, 2, 3], [1, 2, 3], undefined], { recipients: ['0', '3'] }, parties);
    const sent = (from: number, to: string) => parties[from]?.channel(to).counters;
    const terms = (sent(3, '0')?.bytesSent ?? 0) - messageHeaderBytes;
    const done = messageHeaderBytes;
    expect(sent(1, '0')).toMatchObject({ messagesSent: 4, bytesSent: terms + 40 + messageHeaderBytes + 24 + done });
    expect(sent(1, '2')).toMatchObject({ messagesSent: 3, bytesSent: terms + 40 + done });
    expect(sent(3, '1')).toMatchObject({ messagesSent: 2, bytesSent: terms + done });
  });
});

describe('peers that do not keep to it', () => {
  const values: Values = [[1], [2], [3]];

  it('with other parameters: the first difference is named on both sides', async () => {
    const parties = mesh(3);
    const ends = await outcomes(
      parties.map((party, i) => secureSum(party, optionsFor(values, { fractionBits: i === 2 ? 12 : 16 }), values[i], testRandom(3, i))),
    );
    for (const end of ends)
      expect(end).toMatchObject({
        code: expect.stringMatching(/DT_PEER_(TERMS|ABORTED)/),
        message: expect.stringContaining('fractionBits'),
      });
    expect(ends.some((end) => (end as { code: string }).code === 'DT_PEER_TERMS')).toBe(true);
  });

  it('that abort: everyone ends with its reason', async () => {
    const parties = mesh(3);
    const runs = parties.slice(0, 2).map((party, i) => secureSum(party, optionsFor(values), values[i], testRandom(3, i)));
    for (const seat of ['0', '1']) parties[2]?.channel(seat).abort('no more');
    for (const end of await outcomes(runs))
      expect(end).toMatchObject({ code: 'DT_PEER_ABORTED', message: expect.stringContaining('no more') });
  });

  it('that send words of their own: the sum is refused, not believed', async () => {
    const parties = mesh(3);
    // Seat 2 keeps to the protocol but adds a number far beyond the range to what it sends.
    const bend = (party: SumParty): SumParty => ({
      seat: party.seat,
      channel: (seat) => {
        const channel = party.channel(seat);
        return {
          ...channel,
          peer: channel.peer,
          counters: channel.counters,
          transcript: () => channel.transcript(),
          send: (message) => {
            if (message[0] === 19) message[message.length - 1] = ((message[message.length - 1] ?? 0) + 64) & 255;
            return channel.send(message);
          },
          receive: () => channel.receive(),
          close: () => channel.close(),
          abort: (reason) => channel.abort(reason),
        };
      },
    });
    const ends = await outcomes(
      parties.map((party, i) =>
        secureSum(i === 2 ? bend(party) : party, optionsFor(values, { recipients: ['0'] }), values[i], testRandom(5, i)),
      ),
    );
    expect(ends[0]).toMatchObject({ code: 'DT_PEER_PROTOCOL', message: expect.stringContaining('v0') });
    expect(ends[1]).toMatchObject({ code: 'DT_PEER_ABORTED' });
  });

  it('that send garbage: they are named', async () => {
    const parties = mesh(3);
    const runs = parties.slice(0, 2).map((party, i) => secureSum(party, optionsFor(values), values[i], testRandom(3, i)));
    for (const seat of ['0', '1']) void parties[2]?.channel(seat).send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    for (const end of await outcomes(runs))
      expect(end).toMatchObject({ code: 'DT_PEER_PROTOCOL', message: expect.stringMatching(/^2 broke/) });
  });

  it('that hang: they are named, within the bound', async () => {
    const parties = mesh(3, { stallMs: 200 });
    const runs = parties.slice(0, 2).map((party, i) => secureSum(party, optionsFor(values), values[i], testRandom(3, i)));
    for (const end of await outcomes(runs))
      expect(end).toMatchObject({
        code: expect.stringMatching(/DT_PEER_(STALLED|ABORTED)/),
        message: expect.stringContaining('Nothing from 2'),
      });
  });

  it('with another protocol', async () => {
    const parties = mesh(3);
    const runs = parties.slice(0, 2).map((party, i) => secureSum(party, optionsFor(values), values[i], testRandom(3, i)));
    for (const seat of ['0', '1']) {
      const link = new MessageLink((parties[2] as SumParty).channel(seat));
      const terms = Buffer.from('{"protocol":"joint-predict\\u001b[31m","version":1}');
      void link.send('terms', Buffer.concat([Buffer.alloc(messageHeaderBytes), terms]));
    }
    for (const end of await outcomes(runs)) {
      expect(end).toMatchObject({
        code: expect.stringMatching(/DT_PEER_(TERMS|ABORTED)/),
        message: expect.stringContaining('protocol is "secure-sum" here'),
      });
      expect(String(end)).not.toContain('\u001b');
    }
  });
});
