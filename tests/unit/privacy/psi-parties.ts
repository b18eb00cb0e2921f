import type { Channel } from '../../../src/privacy/channel.js';
import { agreeOnTerms } from '../../../src/privacy/handshake.js';
import { agreeOnStreams, keyBytes } from '../../../src/privacy/key-agreement.js';
import { type MemoryChannelOptions, memoryChannelPair } from '../../../src/privacy/memory-channel.js';
import { MessageLink } from '../../../src/privacy/message-link.js';
import { dealForCount } from '../../../src/privacy/psi/count-dealer.js';
import type { IdSource } from '../../../src/privacy/psi/own-set.js';
import { PhaseClock } from '../../../src/privacy/psi/phase-clock.js';
import type { IdColumn } from '../../../src/privacy/psi/psi-digest.js';
import { PsiMemory } from '../../../src/privacy/psi/psi-memory.js';
import type { PsiOwnOptions, PsiTerms } from '../../../src/privacy/psi/psi-options.js';
import type { PsiSession } from '../../../src/privacy/psi/psi-session.js';
import { type PsiResult, runPsi } from '../../../src/privacy/psi/run-psi.js';
import { testRandom } from './three-parties.js';

export interface PsiSide extends Partial<Omit<PsiOwnOptions, 'party'>> {
  readonly ids: IdColumn | IdSource;
  /** Where this side disagrees with the shared terms. */
  readonly terms?: Partial<PsiTerms>;
}

export interface PsiRun extends Partial<PsiTerms> {
  /** Hears what the dealer of a count comes to, where the terms have one. */
  readonly onDealt?: (dealt: Promise<number>) => void;
  readonly wrap?: (channel: Channel, owner: string) => Channel;
  readonly channels?: MemoryChannelOptions;
  readonly seed?: number;
}

const isColumn = (ids: IdColumn | IdSource): ids is IdColumn =>
  'ends' in ids || ArrayBuffer.isView(ids) || (Array.isArray(ids) && (ids.length === 0 || typeof ids[0] === 'string'));

/** Starts both sides over a link in memory; what each one comes to is its own promise. */
export function startPsi(side0: PsiSide, side1: PsiSide, run: PsiRun = {}): [Promise<PsiResult>, Promise<PsiResult>] {
  const { wrap = (channel) => channel, channels, seed, onDealt, ...terms } = run;
  const ends = memoryChannelPair({ ...channels, names: ['party0', 'party1'] });
  const dealerLinks =
    terms.dealer === true ? ([0, 1] as const).map((party) => memoryChannelPair({ ...channels, names: [`party${party}`, 'dealer'] })) : [];
  const [link0, link1] = dealerLinks;
  if (link0 !== undefined && link1 !== undefined) {
    const dealt = dealForCount([wrap(link0[1], 'dealer'), wrap(link1[1], 'dealer')], terms.jobDigest ?? '00', testRandom(seed, 2));
    dealt.catch(() => undefined);
    onDealt?.(dealt);
  }
  const start = (side: PsiSide, party: 0 | 1): Promise<PsiResult> => {
    const { ids, terms: own, ...options } = side;
    const agreed: PsiTerms = { jobDigest: '00', result: 'both', normalize: ['none'], ...terms, ...own };
    const source = isColumn(ids) ? [[ids]] : ids;
    const toDealer = dealerLinks[party]?.[0];
    const dealer = toDealer && wrap(toDealer, `party${party}`);
    return runPsi(wrap(ends[party], `party${party}`), agreed, { party, ...options }, source, testRandom(seed, party), dealer);
  };
  const promises = [start(side0, 0), start(side1, 1)] as const;
  for (const promise of promises) promise.catch(() => undefined);
  return [...promises];
}

export const runPsiPair = (a: readonly string[], b: readonly string[], run: PsiRun = {}): Promise<[PsiResult, PsiResult]> =>
  Promise.all(startPsi({ ids: a }, { ids: b }, run));

/** The ids at the rows of a result. */
export const idsAt = (ids: readonly string[], result: PsiResult): string[] => [...(result.rows ?? [])].map((row) => ids[row] as string);

/** Both ends of a session below the level of runPsi. */
export async function psiSessions(seed?: number): Promise<[PsiSession, PsiSession]> {
  const channels = memoryChannelPair({ names: ['party0', 'party1'] });
  const sessions = channels.map(async (channel, party): Promise<PsiSession> => {
    const link = new MessageLink(channel);
    const random = testRandom(seed, party);
    const streams = await agreeOnStreams(link, await agreeOnTerms(link, { protocol: 'test' }), random.bytes(keyBytes));
    return { link, memory: new PsiMemory(), streams, random, clock: new PhaseClock() };
  });
  const [a, b] = await Promise.all(sessions);
  return [a as PsiSession, b as PsiSession];
}
