import type { IdSource } from '../../privacy/psi/own-set.js';
import type { PsiOwnOptions, PsiTerms } from '../../privacy/psi/psi-options.js';
import type { PsiResult } from '../../privacy/psi/run-psi.js';
import { systemRandom } from '../../privacy/random-source.js';
import type { OperatorSession } from '../operator-session.js';

/** A private set intersection with what it took on its link. */
export interface JoinedIds {
  readonly result: PsiResult;
  readonly padded: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What is said of a join in a report: nothing that a peer does not know, but for rows left out. */
export interface JoinFigures {
  readonly protocol: string;
  readonly reason: string;
  /** Numbers of ids as declared. */
  readonly ids: { readonly own: number; readonly peer: number };
  /** Rows that repeat an id; not told of a padded set. */
  readonly duplicates_dropped?: number;
  readonly seconds: number;
  readonly phases_ms: Readonly<Record<string, number>>;
  readonly bytes_sent: number;
  readonly bytes_received: number;
}

/** Runs the intersection with the party at seat `peer`, where there is one with a dealer, and logs sizes, protocol and why. @throws as runPsi */
export async function joinIds(
  session: OperatorSession,
  { peer, dealer }: { readonly peer: string; readonly dealer?: string | undefined },
  terms: PsiTerms,
  own: PsiOwnOptions,
  ids: IdSource,
  log: (line: string) => void,
): Promise<JoinedIds> {
  // Loaded when it is needed: elliptic curves and kernels would be most of the start of an operator that joins nothing.
  const { runPsi } = await import('../../privacy/psi/run-psi.js');
  const channel = session.channel(peer);
  const links = dealer === undefined ? [channel] : [channel, session.channel(dealer)];
  const bytes = (way: 'bytesSent' | 'bytesReceived'): number => links.reduce((sum, { counters }) => sum + counters[way], 0);
  const before = { sent: bytes('bytesSent'), received: bytes('bytesReceived') };
  const result = await runPsi(channel, terms, own, ids, systemRandom(), links[1]);
  const padded = own.padTo !== undefined;
  const nameOf = (wanted: string): string => session.seats.find(({ seat }) => seat === wanted)?.name ?? `seat ${wanted}`;
  log(`${nameOf(session.seat)} brings ${result.declared} ids, ${nameOf(peer)} ${result.peerDeclared}`);
  const dealt = dealer !== undefined && result.choice.protocol === 'kkrt' ? `, with random numbers of ${nameOf(dealer)}` : '';
  log(`joined by ${result.choice.protocol}${dealt}: ${result.choice.reason}`);
  if (result.duplicatesDropped > 0) {
    log(`${padded ? 'some' : result.duplicatesDropped} rows here repeat the id of an earlier row and were left out`);
  }
  return {
    result,
    padded,
    bytesSent: bytes('bytesSent') - before.sent,
    bytesReceived: bytes('bytesReceived') - before.received,
  };
}

export function joinFigures({ result, padded, bytesSent, bytesReceived }: JoinedIds): JoinFigures {
  const phases = Object.entries(result.phasesMs).filter(([, ms]) => ms > 0);
  const known = phases.reduce((sum, [, ms]) => sum + ms, 0);
  return {
    protocol: result.choice.protocol,
    reason: result.choice.reason,
    ids: { own: result.declared, peer: result.peerDeclared },
    ...(!padded && { duplicates_dropped: result.duplicatesDropped }),
    seconds: Math.round(result.totalMs) / 1000,
    phases_ms: Object.fromEntries([...phases, ['wire', result.totalMs - known]].map(([phase, ms]) => [phase, Math.round(Number(ms))])),
    bytes_sent: bytesSent,
    bytes_received: bytesReceived,
  };
}
