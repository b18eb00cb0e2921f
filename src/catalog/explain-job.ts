import type { ToolkitError } from '../errors/toolkit-error.js';
import type { ExplainFacts, Explanation, Next, Place, ShareFacts } from './explanation.js';
import { commandIn, wordsOf } from './failure-words.js';
import { rootCause } from './root-cause.js';

/** One cause and one next step of a job as it stands, from what its parties and the chain say. */
export function explainJob(facts: ExplainFacts): Explanation {
  const root = rootCause(facts.shares);
  return root === undefined ? explainOpen(facts) : explainFailure(facts, root);
}

/** Of a job of which not even the parties can be told. */
export function explainUnresolved(job: bigint, { code, message, hint }: ToolkitError): Explanation {
  const command = commandIn(hint, job);
  return { status: 'failed', code, cause: message, evidence: [], next: { text: hint, ...(command && { command }) }, others: [] };
}

function explainFailure(facts: ExplainFacts, teller: ShareFacts): Explanation {
  const code = teller.failure?.code ?? teller.state;
  // Who says what another did is not where it happened.
  const peer = code.startsWith('DT_JOINT_') ? teller.failure?.details?.['peer'] : undefined;
  const culprit = facts.shares.find(({ ownerName }) => ownerName === peer) ?? teller;
  const { cause, next, evidence } = wordsOf(facts, teller, culprit);
  const proof = [...evidence, ...receiptLines(culprit), ...(culprit === teller ? [] : [`told by ${teller.ownerName}`])];
  return { status: 'failed', code, cause, at: placeOf(culprit), evidence: proof, next, others: othersOf(facts, culprit) };
}

function receiptLines({ receipt, reported, ownerName, isProblem }: ShareFacts): readonly string[] {
  if (receipt !== undefined)
    return [`receipt of ${ownerName}: ${receipt.outcome}, ${reported === undefined ? 'not on chain' : 'on chain'}`];
  return isProblem && reported !== undefined ? [`on chain ${ownerName} has reported: ${reported}`] : [];
}

/** What may be said of a state in which nothing has failed; the first that holds for a share. */
const open: readonly {
  readonly holds: (share: ShareFacts, facts: ExplainFacts) => boolean;
  readonly status: Explanation['status'];
  readonly cause: (share: ShareFacts) => string;
  readonly next: (facts: ExplainFacts, share: ShareFacts) => Next;
  /** What comes of it, by what is decided. */
  readonly outcomes?: readonly string[];
}[] = [
  {
    holds: ({ state }) => state === 'awaiting-approval',
    status: 'waiting',
    cause: (share) => `${share.ownerName} has to decide whether the job may run on ${share.asset}${by(share)}.`,
    next: answer,
    outcomes: ['approved: it goes into the queue and runs', 'refused, or no answer by then: it ends as refused, and nothing of it runs'],
  },
  {
    holds: ({ state }) => state === 'held',
    status: 'waiting',
    cause: (share) => `It has run. ${share.ownerName} has to look at the results and decide whether they leave${by(share)}.`,
    next: answer,
    outcomes: ['approved: the results are released', 'refused, or no answer by then: it ends as refused, and nothing of it leaves'],
  },
  {
    holds: ({ isChainDown, state }) => isChainDown === true && state !== 'succeeded',
    status: 'waiting',
    cause: ({ ownerName }) => `The daemon of ${ownerName} cannot reach the chain, so the job waits there.`,
    next: ({ job }, { ownerName }) => ({
      text: `It goes on by itself once the chain answers ${ownerName} again. See`,
      command: `dt job status ${job}`,
    }),
  },
  {
    holds: ({ state }, { isDemander }) => state === 'absent' && isDemander,
    status: 'waiting',
    cause: ({ ownerName, daemon }) =>
      `The daemon of ${ownerName} at ${daemon} knows nothing of the job: it was away or its queue was full when it was asked.`,
    next: ({ job }) => ({ text: 'Ask it again', command: `dt job rerun ${job}` }),
  },
  {
    holds: ({ state }) => state === 'queued',
    status: 'running',
    cause: ({ ownerName }) => `It waits in the queue of ${ownerName}.`,
    next: follow,
  },
  {
    holds: ({ state }, { isDemander }) => state !== 'succeeded' && (state !== 'absent' || isDemander),
    status: 'running',
    cause: ({ ownerName, state }) => `It is ${state} at ${ownerName}.`,
    next: follow,
  },
];

function explainOpen(facts: ExplainFacts): Explanation {
  for (const { holds, status, cause, next, outcomes = [] } of open) {
    const share = facts.shares.find((candidate) => holds(candidate, facts));
    if (share === undefined) continue;
    // Who computes together has done so before the results are held, and holds up nobody by that.
    const isWaitedFor = facts.isJoint && status === 'waiting' && share.state !== 'held';
    const joint = isWaitedFor ? ['the parties compute together, so the others wait for it'] : [];
    return {
      status,
      code: share.state,
      cause: cause(share),
      at: placeOf(share),
      evidence: [...outcomes, ...joint],
      next: next(facts, share),
      others: othersOf(facts, share),
    };
  }
  const next = { text: 'Nothing is wrong. Fetch what was released', command: `dt job outputs ${facts.job} --out <folder>` };
  return {
    status: 'succeeded',
    code: 'succeeded',
    cause: facts.isDemander ? 'Every share has succeeded.' : 'Every share that you may see has succeeded.',
    evidence: facts.shares.flatMap(receiptLines),
    next,
    others: othersOf(facts, undefined),
  };
}

function follow({ job }: ExplainFacts): Next {
  return { text: 'Nothing is wrong. Watch it', command: `dt job logs ${job} --follow` };
}

const by = ({ deadlineAt }: ShareFacts): string => (deadlineAt === undefined ? '' : `, until ${deadlineAt}`);

function answer({ job, asker }: ExplainFacts, { owner, ownerName }: ShareFacts): Next {
  return asker === owner
    ? { text: `Look at it, then \`dt asset approve ${job}\` or \`dt asset refuse ${job}\``, command: 'dt asset holds' }
    : { text: `Ask ${ownerName} to answer with \`dt asset approve ${job}\`; its owner sees what waits with`, command: 'dt asset holds' };
}

const placeOf = ({ token, asset, owner, ownerName, daemon }: ShareFacts): Place => ({ token, asset, owner, ownerName, daemon });

function othersOf({ shares, isDemander }: ExplainFacts, root: ShareFacts | undefined): Explanation['others'] {
  return shares
    .filter((share) => share !== root && (isDemander || share.state !== 'absent'))
    .map((share) => ({ ...placeOf(share), state: share.state, ...(share.failure && { code: share.failure.code }) }));
}
