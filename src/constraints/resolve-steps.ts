import { isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import { type Ddo, isAlgorithm, isComposite, isLeaf, type LeafDescriptor, type Service } from '../documents/ddo/ddo.js';
import type { Clause } from '../documents/decision/decision.js';
import type { TokenId } from '../documents/ids.js';
import { checkChildKeys, type Documents, demandsOf, failure, type OperatorDocuments } from './check-tree.js';
import { evaluateParameters } from './evaluate.js';

/** One leaf's share of an algorithm: how the tree leads to it, and the parameters that are fixed on the way. */
export interface Step {
  readonly token: TokenId;
  /** From the algorithm down to the leaf, both ends included. */
  readonly path: readonly TokenId[];
  readonly service: Service<LeafDescriptor>;
  readonly arguments: JsonObject;
  /** What each level between demands of this leaf, the leaf's own constraint last. */
  readonly demands: readonly { readonly of: TokenId; readonly constraint: Json; readonly pointer: string }[];
}

export interface Resolution {
  readonly steps: readonly Step[];
  /** What makes the tree unusable. Empty when every step could be resolved. */
  readonly problems: readonly Clause[];
}

/** Walks from an algorithm to its leaves, picking the services that it names at every level. Every token may be reached once. */
export function resolveSteps(algorithm: Ddo, documents: Documents): Resolution {
  const steps: Step[] = [];
  const problems: Clause[] = [];
  const reached = new Set<TokenId>([algorithm.dt]);
  const fail = (of: string, where: string, rule: Clause['rule'], wouldPass: string): void => {
    problems.push(failure(of, algorithm.dt, where, rule, wouldPass));
  };
  const visit = (ddo: Ddo, service: Service, path: readonly TokenId[], above: Step['demands']): void => {
    for (const one of above) problems.push(...checkChildKeys(ddo, service, one.constraint, one.of));
    for (const demand of demandsOf(ddo, service)) {
      if (demand.child === undefined || !('workflow' in service.descriptor)) continue;
      const child = documents.get(demand.child);
      const step = service.descriptor.workflow[demand.child];
      if (child === undefined || step === undefined) {
        fail(ddo.dt, demand.pointer, 'tree', `a child whose document can be read; ${demand.child} cannot`);
        continue;
      }
      const chosen = child.services.find((candidate) => candidate.index === step.service);
      if (reached.has(child.dt)) {
        // Not followed again: a tree of diamonds has exponentially many paths.
        const wish = path.includes(child.dt) ? 'not to be made of itself' : 'to be reached once; the algorithm reaches it twice';
        fail(child.dt, '/', 'tree', wish);
      } else if (isAlgorithm(child)) {
        fail(child.dt, '/metadata/main/type', 'tree', 'a data token; an algorithm is not composed any further');
      } else if (chosen === undefined) {
        fail(child.dt, '/services', 'service', `one of its services; ${step.service} is none of them`);
      } else {
        reached.add(child.dt);
        const level = { of: ddo.dt, constraint: demand.constraint, pointer: demand.pointer };
        const narrowed = [...above.map((one) => descend(one, child.dt)), level];
        if (isComposite(child)) visit(child, chosen, [...path, child.dt], narrowed);
        else if (isLeaf(child)) addLeaf(child, chosen as Service<LeafDescriptor>, [...path, child.dt], narrowed);
      }
    }
  };
  const addLeaf = (leaf: Ddo, service: Service<LeafDescriptor>, path: readonly TokenId[], above: Step['demands']): void => {
    const [offer, ...between] = above;
    if (offer === undefined || !isObject(offer.constraint)) return fail(leaf.dt, '/services', 'keys', 'an object with its parameters');
    const own = demandsOf(leaf, service).map((demand) => ({ of: leaf.dt, constraint: demand.constraint, pointer: demand.pointer }));
    steps.push({ token: leaf.dt, path, service, arguments: offer.constraint, demands: [...between, ...own] });
  };
  const only = algorithm.services[0];
  if (!isAlgorithm(algorithm) || only === undefined) fail(algorithm.dt, '/metadata/main/type', 'tree', 'the type Algorithm');
  else visit(algorithm, only, [algorithm.dt], []);
  return { steps, problems };
}

/** A composite's demand of a child that is itself composite holds one constraint for each grandchild. */
function descend(demand: Step['demands'][number], child: TokenId): Step['demands'][number] {
  const inner = isObject(demand.constraint) && Object.hasOwn(demand.constraint, child) ? demand.constraint[child] : undefined;
  return { of: demand.of, constraint: inner ?? null, pointer: demand.pointer + pointer(child) };
}

/** The fixed arguments of a step against every level below the algorithm and against the operator's template: the check at run time. */
export function checkArguments(step: Step, operators: OperatorDocuments): readonly Clause[] {
  const { template } = step.service.descriptor;
  const operator = operators.get(template);
  const by = step.path[0] ?? step.token;
  const levels = step.demands.flatMap((demand) =>
    evaluateParameters(demand.constraint, step.arguments, { of: demand.of, by, pointer: demand.pointer }, true),
  );
  if (operator === undefined) return [...levels, failure(template, by, '/', 'operator', 'an operator that is published and can be read')];
  return [...levels, ...evaluateParameters(operator.params, step.arguments, { of: template, by, pointer: '/params' }, true)];
}
