import type { Address, TokenId } from '../../documents/ids.js';
import { tokensOf } from '../../documents/job/joint-group.js';
import { recoverDecisionSigner } from '../../documents/job/typed-data.js';
import type { JointRecord, LinkTraffic } from '../../documents/receipt/receipt.js';
import type { ReadEvidence } from './given-evidence.js';

interface Seated {
  readonly evidence: ReadEvidence;
  readonly record: JointRecord;
}

/**
 * What the parties of a joint job say of each other: that they are those of the job spec, that the signed decisions which each holds of the
 * others are theirs, that all agreed to one execution, and that both ends of every link counted and hashed the same.
 */
export function verifyJoint(all: readonly ReadEvidence[]): void {
  for (const evidence of all) {
    const { joint, outcome } = evidence.signed.receipt;
    if (joint === undefined && outcome === 'succeeded' && evidence.spec === undefined)
      evidence.checks.skip('peers', 'receipt.json#/receipt/joint', 'the job spec, which tells whether it was computed jointly');
    if (joint === undefined && outcome === 'succeeded' && groupOf(evidence) !== undefined)
      evidence.checks.holds('peers', 'receipt.json#/receipt/joint', false, 'its part in the joint computation of the job spec', 'nothing');
  }
  const seated = all.flatMap((evidence): readonly Seated[] => {
    const record = evidence.signed.receipt.joint;
    return record === undefined ? [] : [{ evidence, record }];
  });
  for (const one of seated) {
    verifySeats(one);
    verifyPeers(one, all);
    verifyExecution(one, seated);
    verifyLinks(one, seated);
  }
}

const at = (...keys: readonly (string | number)[]): string => `receipt.json#/receipt/joint/${keys.join('/')}`;

function groupOf({ spec, signed }: ReadEvidence) {
  const { owner, token, algorithm } = signed.receipt;
  for (const group of spec?.joint ?? [])
    for (const seat of group.seats)
      if (
        seat.organization === owner &&
        (seat.inputs.some((input) => input.token === token) || (seat.inputs.length === 0 && token === algorithm))
      )
        return { group, seat };
  return undefined;
}

function verifySeats({ evidence, record }: Seated): void {
  const { checks, spec } = evidence;
  if (spec === undefined) return checks.skip('peers', at('peers'), 'the job spec, which names the seats');
  const place = groupOf(evidence);
  checks.same('peers', at('seat'), place?.seat.seat, record.seat);
  const say = (list: readonly { readonly seat: string; readonly organization: Address }[]): string =>
    list
      .map(({ seat, organization }) => `${seat} ${organization}`)
      .sort()
      .join(', ');
  checks.same('peers', at('peers'), say(place?.group.seats.filter(({ seat }) => seat !== record.seat) ?? []), say(record.peers));
}

/** The tokens that a peer decides about, as far as the job spec tells. */
function owedBy(evidence: ReadEvidence, { seat, organization }: JointRecord['peers'][number]): readonly TokenId[] {
  const theirs = groupOf(evidence)?.group.seats.find((other) => other.seat === seat && other.organization === organization);
  return evidence.spec === undefined || theirs === undefined ? [] : tokensOf(evidence.spec, theirs);
}

/** Each peer has decided about all that is its own in the job. Its decisions carry its signature for this very spec; and where its receipts are at hand, they name the same. */
function verifyPeers({ evidence, record }: Seated, all: readonly ReadEvidence[]): void {
  const { checks, signed } = evidence;
  const { receipt } = signed;
  record.peers.forEach((peer, i) => {
    const decided = peer.decisions.map(({ token }) => token);
    const missing = owedBy(evidence, peer).find((token) => !decided.includes(token));
    if (receipt.outcome === 'succeeded' && (missing !== undefined || decided.length === 0)) {
      const about = missing === undefined ? '' : ` about ${missing}`;
      checks.holds('peers', at('peers', i, 'decisions'), false, `a signed decision of ${peer.organization}${about}`, 'none');
    }
    peer.decisions.forEach(({ token, decision, signature }, j) => {
      const where = at('peers', i, 'decisions', j);
      const seal = { job: BigInt(receipt.job), dataToken: token, spec: receipt.spec, decision, allowed: true };
      const signer = checks.attempt('peers', where, `the signature of ${peer.organization}`, () =>
        recoverDecisionSigner(receipt.chain, seal, signature),
      );
      if (signer !== undefined) checks.same('peers', where, peer.organization, signer);
      const theirs = all.find((other) => other.signed.receipt.owner === peer.organization && other.signed.receipt.token === token);
      if (theirs === undefined) checks.skip('peers', where, `the receipt of ${peer.organization} on ${token}`);
      else if (receipt.outcome === 'succeeded') checks.same('peers', where, theirs.signed.receipt.decision, decision);
    });
  });
}

function verifyExecution({ evidence, record }: Seated, seated: readonly Seated[]): void {
  // Parties of a job that failed may have met another number of times.
  const { outcome } = evidence.signed.receipt;
  if (outcome !== 'succeeded') return;
  const group = groupOf(evidence)?.group.operator;
  const done = seated.filter(
    (other) =>
      other.evidence !== evidence &&
      other.evidence.signed.receipt.outcome === 'succeeded' &&
      groupOf(other.evidence)?.group.operator === group,
  );
  if (done.length === 0) evidence.checks.skip('execution', at('execution'), 'the receipt of a peer');
  for (const other of done) evidence.checks.same('execution', at('execution'), other.record.execution, record.execution);
}

function verifyLinks({ evidence, record }: Seated, seated: readonly Seated[]): void {
  const { checks, signed } = evidence;
  const { outcome } = signed.receipt;
  const say = (traffic: LinkTraffic | undefined): string =>
    traffic === undefined ? 'nothing' : `${traffic.messages} messages, ${traffic.bytes} bytes, ${traffic.sha256}`;
  for (const [i, { seat, sent, received, organization }] of record.peers.entries()) {
    const theirs = seated.find((other) => other.record.seat === seat && other.record.execution === record.execution);
    const end = theirs?.record.peers.find((peer) => peer.seat === record.seat);
    if (sent === undefined || received === undefined) {
      if (outcome === 'succeeded') checks.holds('link', at('peers', i), false, 'what was sent and received on the link', 'it is missing');
    } else if (theirs === undefined) {
      checks.skip('link', at('peers', i), `the receipt of ${organization} on seat ${seat}`);
    } else {
      checks.same('link', at('peers', i, 'sent'), say(end?.received), say(sent));
      checks.same('link', at('peers', i, 'received'), say(end?.sent), say(received));
    }
  }
}
