import type { OperatorRecord, Organization, TokenRecord } from '../ledger.js';
import { addressOf, bigintOf, bytes32Of, fieldsOf, numberOf, textOf, tokenOf } from './codecs.js';

/** Largest uint48: DataTokens keeps it for a grant without expiry. */
const FOREVER = 2 ** 48 - 1;
const NOBODY = `0x${'0'.repeat(40)}`;

// The field orders below are those of the structs in contracts/interfaces.

/** IDataTokens.Node[] */
export function tokenRecords(nodes: unknown): readonly TokenRecord[] {
  return fieldsOf(nodes).map((node) => {
    const [token, owner, digest, activated, children] = fieldsOf(node);
    const grants = fieldsOf(children).map((entry) => {
      const [child, expiry] = fieldsOf(entry);
      return { child: tokenOf(child), grantedUntil: grantedUntil(numberOf(expiry)) };
    });
    return { id: tokenOf(token), owner: addressOf(owner), digest: bytes32Of(digest), activated: activated === true, grants };
  });
}

const grantedUntil = (expiry: number): number | undefined => {
  if (expiry === 0) return undefined;
  return expiry === FOREVER ? 0 : expiry;
};

/** IOperators.Operator[], asked for with `ids`. */
export function operatorRecords(records: unknown, ids: readonly OperatorRecord['id'][]): readonly (OperatorRecord | undefined)[] {
  const rows = fieldsOf(records);
  return ids.map((id, index) => {
    const [ownerField, digest, version, retired] = fieldsOf(rows[index]);
    const owner = addressOf(ownerField);
    if (owner === NOBODY) return undefined;
    return { id, owner, digest: bytes32Of(digest), version: numberOf(version), retired: retired === true };
  });
}

/** IOrganizations.Organization[], asked for with `addresses`. */
export function organizationRecords(
  records: unknown,
  addresses: readonly Organization['address'][],
): readonly (Organization | undefined)[] {
  const rows = fieldsOf(records);
  return addresses.map((address, index) => {
    const [name, description, url, linkKey, isAggregator, isProvider] = fieldsOf(rows[index]);
    if (name === '') return undefined;
    const texts = { name: textOf(name), description: textOf(description), url: textOf(url) };
    return { address, ...texts, linkKey: bytes32Of(linkKey), isAggregator: isAggregator === true, isProvider: isProvider === true };
  });
}

/** ITaskMarket.Job and ITaskMarket.Task. */
export function jobRecord(id: bigint, job: unknown, task: unknown) {
  const [algorithm, taskId, demander] = fieldsOf(job);
  const [taskDemander, open] = fieldsOf(task);
  return {
    id,
    task: { id: bigintOf(taskId), demander: addressOf(taskDemander), open: open === true },
    algorithm: tokenOf(algorithm),
    demander: addressOf(demander),
  };
}
