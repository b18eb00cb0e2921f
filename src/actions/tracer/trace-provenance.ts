import type { JsonObject } from '../../documents/canonical.js';
import type { TraceNode } from './trace-lifecycle.js';

type Records = Record<string, JsonObject>;

/**
 * A trace as a W3C PROV document (PROV-JSON): tokens and receipts are entities, jobs and their shares activities, organizations agents.
 * A composite was derived from the tokens that were granted to it; a share used a data token, followed the algorithm as its plan, and
 * generated a receipt.
 */
export function traceProvenance(root: TraceNode, towards: 'composites' | 'leaves'): JsonObject {
  const entity: Records = {};
  const agent: Records = {};
  const activity: Records = {};
  const wasAttributedTo: Records = {};
  const wasDerivedFrom: Records = {};
  const wasAssociatedWith: Records = {};
  const used: Records = {};
  const wasGeneratedBy: Records = {};
  const wasInformedBy: Records = {};
  const organization = (name: string): string => {
    const id = local('organization', name);
    agent[id] = { 'prov:type': qualified('prov:Organization'), 'prov:label': name };
    return id;
  };
  const token = ({ token: dt, name, type, ownerName }: TraceNode): string => {
    const id = local('token', dt.slice(-64));
    entity[id] = {
      'prov:type': qualified(type === 'Algorithm' ? 'prov:Plan' : 'ctd:DataToken'),
      ...(name !== undefined && { 'prov:label': name }),
      'ctd:id': dt,
    };
    wasAttributedTo[`_:owner_${dt.slice(-64)}`] = { 'prov:entity': id, 'prov:agent': organization(ownerName) };
    return id;
  };
  const walk = (node: TraceNode): string => {
    const id = token(node);
    for (const child of node.children) {
      const other = walk(child);
      const [made, of] = towards === 'composites' ? [other, id] : [id, other];
      wasDerivedFrom[`_:made_${Object.keys(wasDerivedFrom).length + 1}`] = {
        'prov:generatedEntity': made,
        'prov:usedEntity': of,
        ...(child.grant && { 'ctd:grant': child.grant.state }),
      };
    }
    for (const job of node.jobs) {
      const jobId = local('job', job.job);
      activity[jobId] = { 'prov:type': qualified('ctd:Job'), 'prov:startTime': job.addedAt, 'prov:label': job.taskName };
      wasAssociatedWith[`_:asked_${job.job}`] = {
        'prov:activity': jobId,
        'prov:agent': organization(job.demanderName),
        'prov:plan': id,
      };
      for (const report of job.reports) {
        const hex = report.token.slice(-64);
        const share = local('share', `${job.job}_${hex}`);
        const data = local('token', hex);
        const receipt = local('receipt', report.receipt.slice(2));
        entity[data] ??= { 'prov:type': qualified('ctd:DataToken'), 'ctd:id': report.token };
        entity[receipt] = { 'prov:type': qualified('ctd:Receipt'), 'ctd:sha256': report.receipt.slice(2) };
        activity[share] = { 'prov:type': qualified('ctd:Share'), 'prov:endTime': report.time, 'ctd:state': report.state };
        wasInformedBy[`_:share_${job.job}_${hex}`] = { 'prov:informed': share, 'prov:informant': jobId };
        used[`_:used_${job.job}_${hex}`] = { 'prov:activity': share, 'prov:entity': data };
        wasGeneratedBy[`_:receipt_${job.job}_${hex}`] = { 'prov:entity': receipt, 'prov:activity': share, 'prov:time': report.time };
        wasAssociatedWith[`_:ran_${job.job}_${hex}`] = {
          'prov:activity': share,
          'prov:agent': organization(report.reporterName),
          'prov:plan': id,
        };
      }
    }
    return id;
  };
  walk(root);
  const filled = { entity, activity, agent, wasAttributedTo, wasDerivedFrom, wasAssociatedWith, wasInformedBy, used, wasGeneratedBy };
  return {
    prefix: { ctd: 'https://compute-to-data.invalid/prov#' },
    ...Object.fromEntries(Object.entries(filled).filter(([, records]) => Object.keys(records).length > 0)),
  };
}

/** A qualified name whose local part has nothing that PROV-N would have to escape. */
const local = (kind: string, name: string): string =>
  `ctd:${kind}_${name.replace(/[^A-Za-z0-9_]/g, (char) => `-${char.codePointAt(0)?.toString(16)}`)}`;

const qualified = (name: string): JsonObject => ({ $: name, type: 'prov:QUALIFIED_NAME' });
