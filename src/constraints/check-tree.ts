import { isObject, type Json, pointer } from '../documents/canonical.js';
import { type CompositeDdo, type Ddo, isAlgorithm, isComposite, isLeaf, type LeafDdo, type Service } from '../documents/ddo/ddo.js';
import type { Clause } from '../documents/decision/decision.js';
import type { TokenId } from '../documents/ids.js';
import type { OperatorDocument } from '../documents/operator/operator.js';
import { evaluate } from './evaluate.js';

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
export function checkLeaf(ddo: LeafDdo, operators: OperatorDocuments): readonly Clause[] {
  return ddo.services.flatMap((service, i) => {
    const { template, constraint } = service.descriptor;
    const operator = operators.get(template);
    if (operator !== undefined) return evaluate(operator.params, constraint, { of: template, by: ddo.dt, pointer: '/params' }, false);
    const where = pointer('services', i, 'descriptor', 'template');
    return [failure(ddo.dt, ddo.dt, where, 'operator', `an operator that is published; ${template} is not`)];
  });
}

/** Every service of a composite against the services of its children: the composite may only narrow. */
export function checkComposite(ddo: CompositeDdo, documents: Documents): readonly Clause[] {
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
      return checkService(child, chosen, step.constraint, ddo);
    }),
  );
}

function checkService(child: Ddo, chosen: Service, offer: Json, parent: Ddo): readonly Clause[] {
  const terminal = isAlgorithm(parent);
  const demands = demandsOf(child, chosen);
  if (isLeaf(child))
    return demands.flatMap((d) => evaluate(d.constraint, offer, { of: child.dt, by: parent.dt, pointer: d.pointer }, terminal));
  const offered = isObject(offer) ? offer : {};
  const workflow = pointer('services', child.services.indexOf(chosen), 'descriptor', 'workflow');
  const extra = Object.keys(offered).filter((key) => !demands.some((demand) => demand.child === key));
  return [
    ...extra.map((key) => failure(child.dt, parent.dt, workflow, 'keys', `leave out ${key}; it is not a child of ${child.dt}`)),
    ...demands.flatMap((demand) => {
      const inner = demand.child === undefined ? undefined : offered[demand.child];
      if (inner === undefined) return [failure(child.dt, parent.dt, demand.pointer, 'keys', `give a constraint for ${demand.child}`)];
      return evaluate(demand.constraint, inner, { of: child.dt, by: parent.dt, pointer: demand.pointer }, terminal);
    }),
  ];
}

/** A whole tree: each leaf against its operators, each composite against its children. */
export function checkTree(root: TokenId, documents: Documents, operators: OperatorDocuments): readonly Clause[] {
  const clauses: Clause[] = [];
  const seen = new Set<TokenId>();
  const visit = (id: TokenId): void => {
    const ddo = documents.get(id);
    if (ddo === undefined || seen.has(id)) return;
    seen.add(id);
    if (isComposite(ddo)) {
      clauses.push(...checkComposite(ddo, documents));
      ddo.child_dts.forEach(visit);
    } else if (isLeaf(ddo)) clauses.push(...checkLeaf(ddo, operators));
  };
  if (!documents.has(root)) return [failure(root, root, '/', 'tree', 'a document that can be read')];
  visit(root);
  return clauses;
}

export function failure(of: string, by: string, where: string, rule: Clause['rule'], wouldPass: string): Clause {
  return { of, by, pointer: where, rule, passed: false, wouldPass };
}
