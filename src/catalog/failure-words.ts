import { clausesIn } from '../documents/decision/clauses-in.js';
import type { Clause } from '../documents/decision/decision.js';
import type { ExplainFacts, Next, ShareFacts } from './explanation.js';

interface Words {
  readonly cause: string;
  readonly evidence: readonly string[];
  readonly next: Next;
}

interface Failed {
  readonly facts: ExplainFacts;
  /** Whose run says so. */
  readonly teller: ShareFacts;
  /** Where it happened. */
  readonly culprit: ShareFacts;
  readonly message: string;
  readonly hint: string;
  detail(key: string): string | undefined;
}

const MOST_CLAUSES = 5;
const MOST_LINES = 8;
const LONGEST_LINE = 200;

/** What is said of a failed share: by its code where the code's own message and hint leave something to join, else by these. */
export function wordsOf(facts: ExplainFacts, teller: ShareFacts, culprit: ShareFacts): Words {
  const {
    code = '',
    message = `it is ${teller.state}, without a word why`,
    hint = 'See `dt job status`.',
    details = {},
  } = teller.failure ?? {};
  const detail = (key: string): string | undefined => (details[key] === undefined ? undefined : String(details[key]));
  const failed: Failed = { facts, teller, culprit, message, hint, detail };
  const clauses = clausesIn(details['clauses']);
  if (code === 'DT_POLICY_DENIED' && clauses.length > 0) return denied(failed, clauses);
  const say = Object.hasOwn(table, code) ? table[code] : undefined;
  const said = say?.(failed) ?? {};
  return { cause: said.cause ?? plain(failed), evidence: said.evidence ?? [], next: said.next ?? hinted(failed) };
}

const plain = ({ teller, culprit, message }: Failed): string => (culprit === teller ? `At ${culprit.ownerName}: ${message}` : message);

function hinted({ hint, facts }: Failed): Next {
  const command = commandIn(hint, facts.job);
  return { text: hint, ...(command !== undefined && { command }) };
}

const takesJob: ReadonlySet<string> = new Set(['dt job status', 'dt job logs', 'dt job rerun', 'dt job outputs']);

/** The command that a hint names, with the number of the job where that is left out. */
export function commandIn(hint: string, job: bigint): string | undefined {
  const command = /`(dt [a-z][^`]*)`/.exec(hint)?.[1];
  return command !== undefined && takesJob.has(command) ? `${command} ${job}` : command;
}

const rerun = ({ facts }: Failed, text: string): Next => ({ text: `${text}, then run it again`, command: `dt job rerun ${facts.job}` });

const logs = ({ facts, culprit }: Failed, text: string): Next => ({
  text,
  command: `dt job logs ${facts.job} --dt ${culprit.token}`,
});

const lastLines = ({ log = [] }: ShareFacts): readonly string[] =>
  log.slice(-MOST_LINES).map((line) => `log: ${line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line}`);

const table: Readonly<Record<string, (failed: Failed) => Partial<Words>>> = {
  DT_JOB_OPERATOR_FAILED: (failed) => ({
    cause: `The operator ended with ${failed.detail('exit') ?? 'an error'} at ${failed.culprit.ownerName}.`,
    evidence: lastLines(failed.culprit),
    next: logs(failed, 'Correct the operator, its arguments or its data. The whole log:'),
  }),
  DT_SANDBOX_LIMIT: (failed) => ({
    cause: `${failed.message.replace(/\.$/, '')} at ${failed.culprit.ownerName}.`,
    evidence: [...sandboxLines(failed.culprit), ...lastLines(failed.culprit)],
    next: rerun(failed, `Use less, or ask ${failed.culprit.ownerName} to raise sandbox.limits in its configuration`),
  }),
  DT_JOB_OUTPUT_REFUSED: (failed) => ({ evidence: lastLines(failed.culprit) }),
  DT_JOB_CANCELED: (failed) => {
    const by = failed.detail('by') ?? '';
    const name = failed.facts.names.get(by);
    return {
      cause: `${name === undefined ? by || 'Its owner' : `${name} (${by})`} canceled it: ${failed.detail('reason') ?? 'no reason is known'}`,
      next: rerun(failed, 'Settle what it names'),
    };
  },
  DT_JOB_REVOKED: (failed) => ({
    evidence: ['the run was ended, and nothing of it was released'],
    next: { text: `Ask ${failed.culprit.ownerName} for a grant, which its owner gives with`, command: grantOf(failed) },
  }),
  DT_JOB_INTERRUPTED: (failed) => ({ next: rerun(failed, `Ask ${failed.culprit.ownerName} why its daemon stopped`) }),
  DT_JOB_QUEUE_FULL: (failed) => ({ next: rerun(failed, `Wait until ${failed.culprit.ownerName} has ended other jobs`) }),
  DT_PEER_UNREACHABLE: (failed) => ({
    cause: `The daemon of ${failed.culprit.ownerName} does not answer at ${failed.culprit.daemon}.`,
    evidence: [failed.detail('reason') ?? failed.message],
    next: rerun(failed, `Ask ${failed.culprit.ownerName} to start it (\`dt daemon run\`)`),
  }),
  DT_DATASET_UNKNOWN: dataset,
  DT_DATASET_VANISHED: dataset,
  DT_DATASET_CHANGED: dataset,
  DT_JOINT_REFUSED: (failed) => ({
    evidence: failed.detail('refusal') === undefined ? [] : [`${failed.culprit.ownerName} has signed this refusal`],
  }),
  DT_JOINT_PEER_FAILED: (failed) => ({
    cause: `It ended at ${failed.detail('peer') ?? failed.culprit.ownerName}: ${failed.detail('reason') ?? failed.message}`,
    evidence: lastLines(failed.culprit),
    ...(failed.detail('cause') === 'DT_JOB_OPERATOR_FAILED' && { next: logs(failed, 'The whole log, for who may read it:') }),
  }),
};

function dataset(failed: Failed): Partial<Words> {
  const { ownerName, asset } = failed.culprit;
  return { next: rerun(failed, `Ask ${ownerName} to put the data of ${asset} back as it was published, or to publish it afresh`) };
}

function sandboxLines({ receipt }: ShareFacts): readonly string[] {
  if (receipt === undefined) return [];
  const { sandbox, usage, exit } = receipt;
  const list = (values: Readonly<Record<string, unknown>>): string =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ');
  return [
    ...(sandbox === undefined ? [] : [`sandbox level ${sandbox.level} held: ${list(sandbox.limits)}`]),
    ...(usage === undefined ? [] : [`used: ${list(usage)}`]),
    ...(exit === undefined ? [] : [`ended by ${exit.limit ?? exit.signal ?? `exit code ${exit.code}`}`]),
  ];
}

/** Whose grant, in what: the leaf in the algorithm, unless a clause names a level between. */
const grantOf = ({ culprit, facts }: Failed, child: string = culprit.token, composite: string = facts.algorithm): string =>
  `dt asset grant --dt ${child} --cdt ${composite}`;

function denied(failed: Failed, clauses: readonly Clause[]): Words {
  const { facts, culprit } = failed;
  const [first] = clauses as [Clause, ...Clause[]];
  const many = clauses.length === 1 ? 'One condition does' : `${clauses.length} conditions do`;
  const shown = clauses.slice(0, MOST_CLAUSES).map((clause) => clauseLine(facts, clause));
  if (clauses.length > MOST_CLAUSES) shown.push(`and ${clauses.length - MOST_CLAUSES} more: see the decision`);
  return {
    cause: `${culprit.ownerName} refused it. ${many} not hold; the first, ${whose(facts, first.of)}: needed is ${first.wouldPass ?? first.rule}.`,
    evidence: shown,
    next: nextAfter(failed, first),
  };
}

function whose({ shares, algorithm }: ExplainFacts, of: string): string {
  if (of === algorithm) return 'of the algorithm';
  const share = shares.find(({ token }) => token === of);
  return share === undefined ? `of ${of}` : `of ${share.asset} (${share.ownerName})`;
}

function clauseLine(facts: ExplainFacts, { of, pointer, rule, required, offered, wouldPass }: Clause): string {
  const show = (value: unknown): string => {
    const text = JSON.stringify(value);
    return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text;
  };
  const asked = required === undefined ? '' : `, required ${show(required)}`;
  const given = offered === undefined ? '' : `, offered ${show(offered)}`;
  return `${rule} ${pointer} ${whose(facts, of)}${asked}${given}; would pass: ${wouldPass ?? '?'}`;
}

/** A refusal at the door is for ever; one of a run that had been accepted is not. */
function nextAfter(failed: Failed, { rule, of, by }: Clause): Next {
  const { facts, culprit } = failed;
  const again =
    culprit.startedAt === undefined ? `dt job exec --task-id ${facts.task} --cdt ${facts.algorithm}` : `dt job rerun ${facts.job}`;
  switch (rule) {
    case 'grant':
      return { text: `Ask the owner for a live grant (${grantOf(failed, of, by)}), then`, command: again };
    case 'task':
      return { text: 'Open another task, then run the algorithm for that', command: 'dt job init' };
    case 'consumer':
      return { text: 'Ask with the key that added the job', command: 'dt key list' };
    case 'organization':
      return { text: `The system administrator registers ${culprit.ownerName} for this (\`dt system org\`), then`, command: again };
    case 'operator':
      return {
        text: `Ask ${culprit.ownerName} to agree to the published operator in a new data token; see`,
        command: `dt asset show --dt ${of}`,
      };
    case 'spec':
      return { text: 'What the job is made of has changed since it was asked for; ask anew', command: again };
    case 'joint':
    case 'tree':
    case 'service':
      return { text: `Settle it with ${culprit.ownerName}, then`, command: again };
    default:
      return {
        text: 'Compose an algorithm whose arguments pass, and run that; this shows what is allowed',
        command: `dt asset show --dt ${of}`,
      };
  }
}
