import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { Channel } from '../../../src/privacy/channel.js';
import { memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import { messageKinds } from '../../../src/privacy/message-link.js';
import { fitFixedHessianBank, fitFixedHessianDealer } from '../../../src/privacy/regression/fit-fixed-hessian.js';
import { fitSgdBank, fitSgdDealer } from '../../../src/privacy/regression/fit-sgd.js';
import { fixedHessianOptions } from '../../../src/privacy/regression/fixed-hessian.js';
import { stallBounds } from '../../../src/privacy/regression/joint-session.js';
import type { SgdOptions } from '../../../src/privacy/regression/sgd-options.js';
import { type JointTable, jointTable, numbers, smallOptions } from './joint-table.js';
import { type Triangle, testRandom } from './three-parties.js';

const parties = ['bank0', 'bank1', 'dealer'] as const;
type Party = (typeof parties)[number];
const faults = ['vanish', 'silence', 'garbage', 'short', 'long', 'replay', 'flip header'] as const;
type Fault = (typeof faults)[number];

/** A party that behaves until it has sent `after` messages, then misbehaves once (or for good) on whatever link comes next. */
class Liar {
  private sent = 0;
  private silent = false;
  private last = new Map<Channel, Uint8Array>();
  done = false;
  /** The message that it spoiled was the very last one of the run, which no protocol can answer for. */
  wasLast = false;

  constructor(
    private readonly fault: Fault,
    private readonly after: number,
    seed: number,
  ) {
    this.next = numbers(seed);
  }

  private readonly next: () => number;

  readonly wrap = (channel: Channel): Channel => ({
    peer: channel.peer,
    counters: channel.counters,
    transcript: () => channel.transcript(),
    send: async (message) => {
      if (this.silent) return;
      this.sent += 1;
      const original = message.slice();
      if (this.sent <= this.after || this.done) {
        this.last.set(channel, original);
        return channel.send(message);
      }
      this.done = true;
      this.wasLast = message[0] === messageKinds.done;
      await this.misbehave(channel, original);
    },
    receive: () => (this.silent ? new Promise(() => undefined) : channel.receive()),
    close: () => channel.close(),
    abort: (reason) => {
      if (!this.silent) channel.abort(reason);
    },
  });

  private async misbehave(channel: Channel, message: Uint8Array): Promise<void> {
    switch (this.fault) {
      case 'vanish':
        // What the operating system does to the links of a killed process.
        this.silent = true;
        for (const end of this.ends) await end.close();
        return;
      case 'silence':
        this.silent = true;
        return;
      case 'garbage':
        return channel.send(message.map(() => Math.floor(this.next() * 256)));
      case 'short':
        return channel.send(message.subarray(0, Math.max(0, message.byteLength - 1 - Math.floor(this.next() * 8))));
      case 'long':
        return channel.send(Uint8Array.from([...message, 1, 2, 3]));
      case 'replay':
        return channel.send(this.last.get(channel) ?? message.subarray(0, 3));
      case 'flip header':
        message[Math.floor(this.next() * 8)] = ((message[0] as number) + 93) & 255;
        return channel.send(message);
    }
  }

  ends: readonly Channel[] = [];
}

function liarsTriangle(liar: Liar, who: Party, baseMs: number): Triangle {
  const bounds = stallBounds(baseMs);
  const pair = (a: Party, b: Party, stallA: number, stallB: number): [Channel, Channel] => {
    // One pair for each bound: the ends of a link wait differently, so each end is taken from a pair with its own bound.
    const ends = memoryChannelPair({ names: [a, b], stallMs: Math.max(stallA, stallB) });
    return [bounded(ends[0], stallA, a), bounded(ends[1], stallB, b)];
  };
  const bounded = (channel: Channel, stallMs: number, owner: Party): Channel =>
    owner === who ? liar.wrap(channel) : withBound(channel, stallMs);
  const [a, b] = pair('bank0', 'bank1', bounds.bankForBank, bounds.bankForBank);
  const [c, d] = pair('bank0', 'dealer', bounds.bankForDealer, bounds.dealerForBank);
  const [e, f] = pair('bank1', 'dealer', bounds.bankForDealer, bounds.dealerForBank);
  return { bank0: { otherBank: a, dealer: c }, bank1: { otherBank: b, dealer: e }, dealer: { banks: [d, f] } };
}

function withBound(channel: Channel, stallMs: number): Channel {
  return {
    peer: channel.peer,
    counters: channel.counters,
    transcript: () => channel.transcript(),
    send: (message) => channel.send(message),
    receive: () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const error = new ToolkitError('DT_PEER_STALLED', { peer: channel.peer, seconds: stallMs / 1000 });
          channel.abort(error.message);
          reject(error);
        }, stallMs);
      });
      return Promise.race([channel.receive(), late]).finally(() => clearTimeout(timer));
    },
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  };
}

type Outcome = { readonly error: ToolkitError } | { readonly finished: true } | { readonly hung: true };

/** Runs the fit with one liar; whatever it does, the honest parties must end by themselves within the bound. */
async function outcomes(
  runs: Readonly<Record<Party, Promise<unknown>>>,
  honest: readonly Party[],
  boundMs: number,
): Promise<Map<Party, Outcome>> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<{ hung: true }>((resolve) => {
    timer = setTimeout(() => resolve({ hung: true }), boundMs);
  });
  const settled = await Promise.all(
    honest.map(async (party): Promise<[Party, Outcome]> => {
      const outcome = await Promise.race([
        runs[party].then(
          () => ({ finished: true as const }),
          (error: ToolkitError) => ({ error }),
        ),
        bound,
      ]);
      return [party, outcome];
    }),
  );
  clearTimeout(timer);
  return new Map(settled);
}

const table = jointTable(60, 200, [2, 3]);
const options = smallOptions(table, { steps: 12, evaluateEvery: 5 });

function startSgd(links: Triangle, data: JointTable = table, chosen: SgdOptions = options): Record<Party, Promise<unknown>> {
  const runs = {
    bank0: fitSgdBank(links.bank0, chosen, data.bank0, testRandom(1, 0)),
    bank1: fitSgdBank(links.bank1, chosen, data.bank1, testRandom(1, 1)),
    dealer: fitSgdDealer(links.dealer, chosen, testRandom(1, 2)),
  };
  for (const run of Object.values(runs)) run.catch(() => undefined);
  return runs;
}

function startHessian(links: Triangle): Record<Party, Promise<unknown>> {
  const chosen = fixedHessianOptions({ jobDigest: '00', inDim: 5, trainRows: 160 }, { steps: 4 });
  const runs = {
    bank0: fitFixedHessianBank(links.bank0, chosen, table.bank0, testRandom(1, 0)),
    bank1: fitFixedHessianBank(links.bank1, chosen, table.bank1, testRandom(1, 1)),
    dealer: fitFixedHessianDealer(links.dealer, chosen, testRandom(1, 2)),
  };
  for (const run of Object.values(runs)) run.catch(() => undefined);
  return runs;
}

describe.each([
  ['gradient steps', startSgd, 60],
  ['fixed Hessian', startHessian, 90],
] as const)('a lying or vanishing party in the fit by %s', (_, start, mostMessages) => {
  it('ends the run everywhere, with a cause that names it, and nothing hangs', async () => {
    let struck = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...parties),
        fc.constantFrom(...faults),
        fc.nat(mostMessages),
        fc.nat(1 << 20),
        async (who, fault, after, seed) => {
          const liar = new Liar(fault, after, seed);
          const links = liarsTriangle(liar, who, 300);
          liar.ends = who === 'dealer' ? links.dealer.banks : [links[who].otherBank, links[who].dealer];
          const honest = parties.filter((party) => party !== who);
          const results = await outcomes(start(links), honest, 5_000);
          for (const end of liar.ends) await end.close();
          if (!liar.done) return;
          if (liar.wasLast) {
            for (const outcome of results.values()) expect(outcome).not.toHaveProperty('hung');
            return;
          }
          struck += 1;
          for (const [party, outcome] of results) {
            expect(outcome, `${party} with ${who} (${fault} after ${after})`).toHaveProperty('error');
            if (!('error' in outcome)) continue;
            expect(outcome.error.code, outcome.error.message).toMatch(/^DT_PEER_/);
            expect(outcome.error.message, `${party} with ${who} (${fault} after ${after})`).toContain(who);
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(struck).toBeGreaterThan(10);
  }, 120_000);
});

describe('a party with other terms', () => {
  it('stops everyone before a secret byte, with both values named', async () => {
    const links = liarsTriangle(new Liar('silence', 1e9, 1), 'dealer', 1000);
    const runs = {
      bank0: fitSgdBank(links.bank0, options, table.bank0, testRandom(1, 0)),
      bank1: fitSgdBank(links.bank1, { ...options, learningRate: 0.2 }, table.bank1, testRandom(1, 1)),
      dealer: fitSgdDealer(links.dealer, options, testRandom(1, 2)),
    };
    const results = await outcomes(runs, parties, 5_000);
    for (const outcome of results.values()) expect(outcome).toHaveProperty('error');
    const texts = [...results.values()].map((outcome) => ('error' in outcome ? outcome.error.message : ''));
    for (const text of texts) expect(text).toMatch(/learningRate/);
    expect(texts.join('\n')).toMatch(/0\.2 .*0\.1|0\.1 .*0\.2/);
    expect(links.bank1.otherBank.counters.messagesSent).toBeLessThanOrEqual(2);
  });

  it('stops when both bring labels, when rows differ, and when in_dim is another', async () => {
    const longer = jointTable(60, 201, [2, 3]);
    const cases: [Partial<Record<'bank0' | 'bank1', JointTable['bank0'] | JointTable['bank1']>>, SgdOptions, RegExp][] = [
      [{ bank1: { ...table.bank1, labels: table.bank0.labels } }, options, /brings the labels/],
      [{ bank1: longer.bank1 }, options, /200 rows .*201|201 rows .*200/],
      [{}, { ...options, inDim: 6 }, /it is 6, but the banks have 2 and 3/],
    ];
    for (const [changes, chosen, pattern] of cases) {
      const links = liarsTriangle(new Liar('silence', 1e9, 1), 'dealer', 1000);
      const runs = {
        bank0: fitSgdBank(links.bank0, chosen, changes.bank0 ?? table.bank0, testRandom(1, 0)),
        bank1: fitSgdBank(links.bank1, chosen, changes.bank1 ?? table.bank1, testRandom(1, 1)),
        dealer: fitSgdDealer(links.dealer, chosen, testRandom(1, 2)),
      };
      const results = await outcomes(runs, parties, 5_000);
      for (const outcome of results.values()) expect('error' in outcome ? outcome.error.message : 'no error').toMatch(pattern);
    }
  });
});
