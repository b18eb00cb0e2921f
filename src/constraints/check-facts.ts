import { pointer } from '../documents/canonical.js';
import { isAlgorithm } from '../documents/ddo/ddo.js';
import { describeRuns } from '../documents/ddo/release-terms.js';
import type { Clause } from '../documents/decision/decision.js';
import type { Address, Bytes32, TokenId } from '../documents/ids.js';
import { isLiveGrant, type JobFacts, type TreeFacts } from '../documents/job/job-facts.js';
import type { JobSpec } from '../documents/job/job-spec.js';
import { seatOf } from '../documents/job/joint-group.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { checkTree, type OperatorDocuments } from './check-tree.js';
import { resolveJoint } from './joint-groups.js';
import { checkArguments, resolveSteps, type Step } from './resolve-steps.js';

const clause = (of: string, by: string, where: string, rule: Clause['rule'], passed: boolean, wouldPass: string): Clause => ({
  of,
  by,
  pointer: where,
  rule,
  passed,
  ...(passed ? {} : { wouldPass }),
});

export const documentsOf = (operators: TreeFacts['operators']): OperatorDocuments =>
  new Map([...operators].map(([id, { document }]) => [id, document]));

/** Documents and chain agree on who is made of whom; every leaf names an operator that may be used. */
export function checkStructure(facts: TreeFacts): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const [id, token] of facts.tokens) {
    const ddo = facts.ddos.get(id);
    if (ddo === undefined) {
      clauses.push(clause(id, id, '/', 'tree', false, 'a document that can be read'));
      continue;
    }
    const onChain = token.grants.map((grant) => grant.child);
    const same = (ddo.child_dts ?? []).join() === onChain.join();
    clauses.push(clause(id, id, '/child_dts', 'tree', same, `the children that the chain names: ${onChain.join(', ') || 'none'}`));
    ddo.services.forEach((service, i) => {
      if ('template' in service.descriptor)
        clauses.push(checkOperator(facts, id, i, service.descriptor.template, service.descriptor.version));
    });
  }
  return clauses;
}

function checkOperator(facts: TreeFacts, of: TokenId, service: number, template: TokenId, version: number | 'any' | undefined): Clause {
  const at = pointer('services', service, 'descriptor', 'template');
  const fact = facts.operators.get(template);
  if (fact === undefined) return clause(of, of, at, 'operator', false, `an operator that is published; ${template} is not`);
  if (fact.record.retired) return clause(of, of, at, 'operator', false, `an operator that is not retired; ${template} is`);
  const agreed = version === 'any' || version === fact.record.version;
  const wish =
    version === undefined
      ? `a version of its code to which the owner agrees, or "any"; the document names none`
      : `version ${version} of its code, to which the owner agreed; version ${fact.record.version} is published`;
  return clause(of, of, pointer('services', service, 'descriptor', 'version'), 'operator', agreed, wish);
}

/** Every composite of the tree is activated and every grant in it is live at `now`. */
export function checkGrants(facts: TreeFacts): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const token of facts.tokens.values()) {
    if (token.grants.length > 0) clauses.push(clause(token.id, token.id, '/', 'grant', token.activated, 'to be activated by its owner'));
    for (const { child, grantedUntil } of token.grants) {
      const live = isLiveGrant(grantedUntil, facts.now);
      const wish =
        grantedUntil === undefined
          ? `a grant of ${child}`
          : `a grant of ${child} that has not run out; it ended at ${timeOf(grantedUntil)}`;
      clauses.push(clause(child, token.id, '/', 'grant', live, wish));
    }
  }
  return clauses;
}

/** The chain's times reach further than dates do. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s after 1970` : date.toISOString();
}

/** All that can be said of a tree before anything runs: structure and every constraint at every level. */
export function checkAsset(facts: TreeFacts): readonly Clause[] {
  const root = facts.ddos.get(facts.root);
  const joint =
    root !== undefined && isAlgorithm(root) ? resolveJoint(facts, resolveSteps(root, facts.ddos).steps, { linked: false }) : undefined;
  return [...checkStructure(facts), ...checkTree(facts.root, facts.ddos, documentsOf(facts.operators)), ...(joint?.problems ?? [])];
}

/** Whether all who compute jointly can be linked: what a job needs beyond `checkAsset`, known before it is on chain. */
export function checkLinked(facts: TreeFacts): readonly Clause[] {
  const root = facts.ddos.get(facts.root);
  if (root === undefined || !isAlgorithm(root)) return [];
  return resolveJoint(facts, resolveSteps(root, facts.ddos).steps, { linked: true }).problems;
}

export interface ResolvedJob {
  readonly spec: JobSpec;
  readonly steps: readonly Step[];
  readonly problems: readonly Clause[];
}

/** The job spec that every party derives alike. Steps that cannot be resolved are left out of it and named in `problems`. */
export function buildJobSpec(facts: JobFacts): ResolvedJob {
  const algorithm = facts.ddos.get(facts.root);
  if (algorithm === undefined)
    throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'a job was resolved without the document of its algorithm' });
  const { steps, problems } = resolveSteps(algorithm, facts.ddos);
  const joint = resolveJoint(facts, steps, { linked: true });
  const digestOfToken = (id: TokenId): Bytes32 => facts.tokens.get(id)?.digest ?? (`0x${'0'.repeat(64)}` as Bytes32);
  const resolved = steps.flatMap((step) => {
    const operator = facts.operators.get(step.service.descriptor.template);
    const token = facts.tokens.get(step.token);
    if (operator === undefined || token === undefined) return [];
    const { id, version, digest } = operator.record;
    return {
      token: step.token,
      ddo: token.digest,
      owner: token.owner,
      service: step.service.index,
      path: step.path,
      operator: { id, version, digest, runtime: operator.document.runtime },
      arguments: step.arguments,
    };
  });
  const spec: JobSpec = {
    kind: 'job-spec',
    version: 1,
    chain: facts.chain,
    job: facts.job.id.toString(),
    task: facts.job.task.id.toString(),
    consumer: facts.job.demander,
    algorithm: { token: facts.root, ddo: digestOfToken(facts.root) },
    steps: resolved,
    ...(joint.groups.length > 0 && { joint: joint.groups }),
    documents: [...facts.tokens.values()]
      .map(({ id, digest }) => ({ token: id, ddo: digest }))
      .sort((a, b) => (a.token < b.token ? -1 : 1)),
  };
  return { spec, steps, problems: [...problems, ...joint.problems] };
}

export interface JobQuestion {
  readonly token: TokenId;
  /** Who signed the request. */
  readonly signer: Address;
  /** The organization that decides. */
  readonly daemon: Address;
  readonly signedSpec: Bytes32;
  readonly resolvedSpec: Bytes32;
  /** In whose joint jobs this organization helps without data of its own. */
  readonly help: 'own' | 'any' | 'none';
  /** Jobs that count for the limit of the leaf's service (`runs`), this one not included; 0 where there is none. */
  readonly earlierRuns: number;
}

/** May this job run on this token? Every clause, passed or failed: who asks, for what, with which grants, and every parameter at every level. */
export function checkJob(facts: JobFacts, resolved: ResolvedJob, question: JobQuestion): readonly Clause[] {
  const { job } = facts;
  const algorithm = facts.tokens.get(facts.root);
  const on = (rule: Clause['rule'], passed: boolean, wish: string): Clause => clause(facts.root, question.token, '/', rule, passed, wish);
  return [
    on('consumer', algorithm?.owner === question.signer, `the signature of ${algorithm?.owner}, who owns the algorithm`),
    on('consumer', job.demander === question.signer, `the signature of ${job.demander}, who added job ${job.id}`),
    on('spec', job.algorithm === facts.root, `a job that runs ${facts.root}; job ${job.id} runs ${job.algorithm}`),
    on('task', job.task.open, `an open task; task ${job.task.id} is closed`),
    on('task', job.task.demander === job.demander, `a task of ${job.demander}; task ${job.task.id} is of ${job.task.demander}`),
    on(
      'spec',
      question.signedSpec === question.resolvedSpec,
      `a signature over the job spec ${question.resolvedSpec}, not ${question.signedSpec}`,
    ),
    ...(question.token === facts.root ? checkHelp(facts, resolved, question, on) : checkOwner(facts, question, on)),
    ...checkStructure(facts),
    ...checkGrants(facts),
    ...resolved.problems,
    ...checkStep(facts, resolved, question, on),
  ];
}

type On = (rule: Clause['rule'], passed: boolean, wish: string) => Clause;

function checkOwner(facts: JobFacts, question: JobQuestion, on: On): readonly Clause[] {
  const leaf = facts.tokens.get(question.token);
  const owner = facts.organizations.get(question.daemon);
  return [
    on('organization', leaf?.owner === question.daemon, `the daemon of ${leaf?.owner ?? 'its owner'}`),
    on('organization', owner?.isProvider === true, 'an owner that is registered as provider'),
  ];
}

/** Of a party that brings no data: its seat is all that the job says of it, and whether it lends its machine is its own choice. */
function checkHelp(facts: JobFacts, { spec }: ResolvedJob, { daemon, token, help }: JobQuestion, on: On): readonly Clause[] {
  const willing = help === 'any' || (help === 'own' && facts.job.demander === daemon);
  const wish =
    help === 'none'
      ? 'a daemon that helps in joint jobs (`joint.help` of its configuration)'
      : `a job of ${daemon} itself; it helps in jobs of others only with \`joint.help: any\``;
  return [
    on('joint', seatOf(spec, daemon, token) !== undefined, 'a seat without data for this organization in `exec_endpoints`'),
    on('organization', facts.organizations.has(daemon), 'a registered organization'),
    on('joint', willing, wish),
  ];
}

/** The arguments of the share that is asked for; of a helper's, those of the input that leads its group. */
function checkStep(facts: JobFacts, { spec, steps }: ResolvedJob, { daemon, token, earlierRuns }: JobQuestion, on: On): readonly Clause[] {
  const group = token === facts.root ? seatOf(spec, daemon, token)?.group : undefined;
  const wanted = group === undefined ? token : group.seats.find(({ inputs }) => inputs.length > 0)?.inputs[0]?.token;
  const step = steps.find((candidate) => candidate.token === wanted);
  if (step === undefined) return [on('tree', false, `an algorithm that uses ${token}`)];
  const limits = group === undefined ? checkRuns(facts, step, earlierRuns) : [];
  return [...limits, ...checkArguments(step, documentsOf(facts.operators))];
}

/** How many there were is not said: they may be others' jobs. */
function checkRuns(facts: JobFacts, { token, service }: Step, earlierRuns: number): readonly Clause[] {
  const { runs } = service;
  if (runs === undefined) return [];
  const at = facts.ddos.get(token)?.services.findIndex(({ index }) => index === service.index) ?? 0;
  const passed = earlierRuns < runs.limit;
  const wish = `${describeRuns(runs)}, and there have been as many`;
  return [{ ...clause(token, facts.root, pointer('services', at, 'runs'), 'runs', passed, wish), required: { ...runs } }];
}
