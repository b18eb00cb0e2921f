import { isObject, type Json, type JsonObject, pointer } from '../documents/canonical.js';
import { type CompositeDdo, type Ddo, isAlgorithm, isComposite, isLeaf, type LeafDdo, type Service } from '../documents/ddo/ddo.js';
import type { Clause } from '../documents/decision/decision.js';
import type { TokenId } from '../documents/ids.js';
import type { OperatorDocument } from '../documents/operator/operator.js';
import { type Effort, newEffort } from './effort.js';
import { evaluate, evaluateParameters, type Site } from './evaluate.js';
import { refuseSchema } from './refuse-schema.js';

export type Documents = ReadonlyMap<TokenId, Ddo>;
export type OperatorDocuments = ReadonlyMap<TokenId, OperatorDocument>;

/** One demand of a service: the leaf's constraint, or what a composite's workflow passes to one child. */
export interface Demand {
  readonly constraint: Json;
  readonly pointer: string;
  /** undefined for the service of a leaf. */
  readonly child?: TokenId;
}

/** The demands of a service, each with the pointer at which it stands in its document. */
export function demandsOf(ddo: Ddo, service: Service): readonly Demand[] {
  const at = (...keys: string[]): string => pointer('services', ddo.services.indexOf(service), 'descriptor', ...keys);
  if ('template' in service.descriptor) return [{ constraint: service.descriptor.constraint, pointer: at('constraint') }];
  return Object.entries('workflow' in service.descriptor ? service.descriptor.workflow : {}).map(([child, step]) => ({
    child: child as TokenId,
    constraint: step.constraint,
    pointer: at('workflow', child, 'constraint'),
  }));
}

/** Every service of a leaf against the template of its operator. */
export function checkLeaf(ddo: LeafDdo, operators: OperatorDocuments, effort = newEffort()): readonly Clause[] {
  return ddo.services.flatMap((service, i) => {
    const { template, constraint } = service.descriptor;
    const operator = operators.get(template);
    const terms = checkOutputs(ddo.dt, service, i, effort);
    if (operator !== undefined)
      return [
        ...evaluateParameters(operator.params, constraint, { of: template, by: ddo.dt, pointer: '/params' }, false, effort),
        ...terms,
      ];
    const where = pointer('services', i, 'descriptor', 'template');
    return [failure(ddo.dt, ddo.dt, where, 'operator', `an operator that is published; ${template} is not`), ...terms];
  });
}

/** Each declared output: a schema that the release gate could not read would hold back everything. */
function checkOutputs(of: TokenId, { outputs }: Service, i: number, effort: Effort): readonly Clause[] {
  return (outputs ?? []).map((rule, k): Clause => {
    const refused = rule.schema === undefined ? undefined : refuseSchema(rule.schema, effort);
    const where = pointer('services', i, 'outputs', k, ...(refused === undefined ? [] : ['schema']));
    if (refused !== undefined) return failure(of, of, where, 'release', `a schema that can be used; ${refused}`);
    return { of, by: of, pointer: where, rule: 'release', required: rule.name, passed: true };
  });
}

/** Every service of a composite against the services of its children: the composite may only narrow. */
export function checkComposite(ddo: CompositeDdo, documents: Documents, effort = newEffort()): readonly Clause[] {
  return ddo.services.flatMap((service) =>
    Object.entries(service.descriptor.workflow).flatMap(([id, step]) => {
      const child = documents.get(id as TokenId);
      const where = pointer('services', ddo.services.indexOf(service), 'descriptor', 'workflow', id);
      if (child === undefined) return [failure(ddo.dt, ddo.dt, where, 'tree', `a child whose document can be read; ${id} cannot`)];
      if (isAlgorithm(child))
        return [failure(id, ddo.dt, '/metadata/main/type', 'tree', 'a data token; an algorithm is not composed any further')];
      const chosen = child.services.find((candidate) => candidate.index === step.service);
      if (chosen === undefined) {
        const known = child.services.map((candidate) => candidate.index).join(', ');
        return [failure(id, ddo.dt, '/services', 'service', `one of the services ${known}; ${step.service} is none of them`)];
      }
      return checkService(child, chosen, step.constraint, ddo, documents, effort);
    }),
  );
}

function checkService(child: Ddo, chosen: Service, offer: Json, parent: Ddo, documents: Documents, effort: Effort): readonly Clause[] {
  const terminal = isAlgorithm(parent);
  const demands = demandsOf(child, chosen);
  const site = (where: string): Site => ({ of: child.dt, by: parent.dt, pointer: where });
  if (isLeaf(child))
    return demands.flatMap((demand) => evaluateParameters(demand.constraint, offer, site(demand.pointer), terminal, effort));
  return [
    ...checkChildKeys(child, chosen, offer, parent.dt),
    ...demands.flatMap((demand) => {
      const inner = demand.child === undefined || !isObject(offer) ? undefined : offer[demand.child];
      if (demand.child === undefined || inner === undefined) return [];
      return checkBelow(demand.child, demand.constraint, inner, site(demand.pointer), terminal, documents, effort);
    }),
  ];
}

/** What is passed to a composite names exactly its children. */
export function checkChildKeys(child: Ddo, chosen: Service, offer: Json, by: string): readonly Clause[] {
  const workflow = pointer('services', child.services.indexOf(chosen), 'descriptor', 'workflow');
  const demands = demandsOf(child, chosen);
  const names = isObject(offer) ? Object.keys(offer) : [];
  const extra = names.filter((name) => !demands.some((demand) => demand.child === name));
  const missing = demands.filter((demand) => demand.child !== undefined && !names.includes(demand.child));
  return [
    ...extra.map((name) => failure(child.dt, by, workflow, 'keys', `leave out ${name}; it is not a child of ${child.dt}`)),
    ...missing.map((demand) => failure(child.dt, by, demand.pointer, 'keys', `give a constraint for ${demand.child}`)),
  ];
}

/** Between a composite and its leaves, constraints are maps of children; only below them are they parameters. */
function checkBelow(
  id: TokenId,
  demand: Json,
  offer: Json,
  site: Site,
  terminal: boolean,
  documents: Documents,
  effort: Effort,
): readonly Clause[] {
  const token = documents.get(id);
  if (token === undefined) return evaluate(demand, offer, site, terminal, effort);
  if (isLeaf(token)) return evaluateParameters(demand, offer, site, terminal, effort);
  const names = isObject(demand) ? Object.keys(demand) : [];
  if (!isObject(demand) || !isObject(offer) || names.length === 0 || !sameNames(names, offer))
    return evaluate(demand, offer, site, terminal, effort);
  return names.flatMap((name) =>
    checkBelow(
      name as TokenId,
      demand[name] ?? null,
      offer[name] ?? null,
      { ...site, pointer: site.pointer + pointer(name) },
      terminal,
      documents,
      effort,
    ),
  );
}

const sameNames = (names: readonly string[], offer: JsonObject): boolean =>
  names.length === Object.keys(offer).length && names.every((name) => Object.hasOwn(offer, name) && !name.startsWith('$'));

/**
 * A whole tree: each leaf against its operators, each composite against its children, each token reached once. One effort for all of it:
 * many services with many keys each would otherwise make millions of clauses, and the program that makes them does nothing else meanwhile.
 */
export function checkTree(root: TokenId, documents: Documents, operators: OperatorDocuments): readonly Clause[] {
  const clauses: Clause[] = [];
  const reached = new Set<TokenId>();
  const effort = newEffort();
  const visit = (id: TokenId, path: readonly TokenId[]): void => {
    const ddo = documents.get(id);
    if (ddo === undefined || effort.left < 0) return; // out of effort: it is denied by then
    if (reached.has(id)) {
      const wish = path.includes(id) ? 'not to be made of itself' : 'to be reached once; the tree reaches it twice';
      clauses.push(failure(id, path.at(-1) ?? root, '/', 'tree', wish));
      return;
    }
    reached.add(id);
    if (isComposite(ddo)) {
      clauses.push(...checkComposite(ddo, documents, effort));
      for (const child of ddo.child_dts) visit(child, [...path, id]);
    } else if (isLeaf(ddo)) clauses.push(...checkLeaf(ddo, operators, effort));
  };
  if (!documents.has(root)) return [failure(root, root, '/', 'tree', 'a document that can be read')];
  visit(root, []);
  return clauses;
}

export function failure(of: string, by: string, where: string, rule: Clause['rule'], wouldPass: string): Clause {
  return { of, by, pointer: where, rule, passed: false, wouldPass };
}
