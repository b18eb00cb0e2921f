import { ToolkitError } from '../../errors/toolkit-error.js';
import type { LedgerEvent } from '../../ledger/ledger.js';
import type { EdgeState, OperatorRow, TaskRow, TokenRow } from './index-tables.js';
import type { IndexWriter } from './index-writer.js';

/**
 * What one event changes. The same events in the same order give the same tables.
 * @throws DT_CHAIN_EVENTS for one that cannot follow those before: the endpoint has left something out
 */
export function applyEvent(writer: IndexWriter, event: LedgerEvent): void {
  const { tables } = writer;
  const misfit = (reason: string): ToolkitError => new ToolkitError('DT_CHAIN_EVENTS', { block: event.block, kind: event.kind, reason });
  const tokenOf = (id: string): TokenRow => {
    const token = writer.token(id);
    if (token === undefined) throw misfit(`no token ${id} was minted before`);
    return token;
  };
  const operatorOf = (id: string): OperatorRow => {
    const operator = writer.find(tables.operator, 'where id = ?', id);
    if (operator === undefined) throw misfit(`no operator ${id} was published before`);
    return operator;
  };
  const changeOperator = (id: string, change: (operator: OperatorRow) => OperatorRow): void => {
    const operator = operatorOf(id);
    writer.change(tables.operator, operator, change(operator));
  };
  const taskOf = (id: number): TaskRow => {
    const task = writer.get(tables.task, id);
    if (task === undefined) throw misfit(`no task ${id} was created before`);
    return task;
  };
  const numberOf = (id: bigint): number => {
    if (id > BigInt(Number.MAX_SAFE_INTEGER)) throw misfit(`${id} is no number that is counted to`);
    return Number(id);
  };
  const setGrant = (child: string, composite: string, state: EdgeState, until: number): void => {
    const [above, below] = [tokenOf(composite), tokenOf(child)];
    const edge = writer.edge(above.seq, below.seq);
    if (edge === undefined) throw misfit(`${composite} is not made of ${child}`);
    writer.changeEdge(edge, { ...edge, state, until });
  };
  const isNew = (there: boolean, what: string): void => {
    if (there) throw misfit(`there is ${what} already`);
  };

  switch (event.kind) {
    case 'organization': {
      const { address, name, description, url, linkKey, isAggregator, isProvider } = event.organization;
      const known = writer.find(tables.organization, 'where address = ?', address);
      const row = { address, name, description, url, link_key: linkKey, aggregator: Number(isAggregator), provider: Number(isProvider) };
      if (known === undefined) writer.append(tables.organization, row);
      else writer.change(tables.organization, known, { ...row, seq: known.seq });
      break;
    }
    case 'operator-published': {
      const { id, owner, digest, version, retired } = event.operator;
      isNew(writer.find(tables.operator, 'where id = ?', id) !== undefined, `operator ${id}`);
      writer.append(tables.operator, { id, owner, digest, version, retired: Number(retired) });
      break;
    }
    case 'operator-updated':
      changeOperator(event.operator, (operator) => ({ ...operator, digest: event.digest, version: event.version }));
      break;
    case 'operator-retired':
      changeOperator(event.operator, (operator) => ({ ...operator, retired: 1 }));
      break;
    case 'token-minted': {
      isNew(writer.token(event.token) !== undefined, `token ${event.token}`);
      isNew(new Set(event.children).size < event.children.length, 'one of its children');
      const children = event.children.map(tokenOf);
      const activated = Number(children.length === 0);
      const row = { id: event.token, owner: event.owner, digest: event.digest, children: children.length, parents: 0, activated };
      const composite = writer.addToken(row).seq;
      for (const [position, child] of children.entries()) {
        writer.addEdge({ composite, position, child: child.seq, state: 'none', until: 0 });
        writer.add(tables.parent, { child: child.seq, nth: child.parents, composite, position });
        writer.changeToken(child, { ...child, parents: child.parents + 1 });
      }
      writer.tally('token.owner', event.owner, 1);
      writer.tally('token.kind', children.length === 0 ? 'leaf' : 'composite', 1);
      break;
    }
    case 'granted':
      setGrant(event.child, event.composite, 'granted', event.until);
      break;
    case 'revoked':
      setGrant(event.child, event.composite, writer.hasMoved(event.composite, event.transaction) ? 'lost' : 'revoked', 0);
      break;
    case 'activated': {
      const token = tokenOf(event.token);
      if (token.activated === 1) break;
      writer.changeToken(token, { ...token, activated: 1 });
      writer.tally('token.kind', 'activated', 1);
      break;
    }
    case 'transferred': {
      if (event.contract === 'operator') {
        changeOperator(event.token, (operator) => ({ ...operator, owner: event.to }));
        break;
      }
      const token = tokenOf(event.token);
      writer.noteMove(event.token, event.transaction);
      writer.changeToken(token, { ...token, owner: event.to });
      writer.tally('token.owner', token.owner, -1);
      writer.tally('token.owner', event.to, 1);
      break;
    }
    case 'task-created': {
      const id = numberOf(event.task);
      isNew(writer.get(tables.task, id) !== undefined, `task ${id}`);
      writer.add(tables.task, { id, demander: event.demander, name: event.name, description: event.description, open: 1 });
      writer.tally('task.demander', event.demander, 1);
      writer.tally('task.open', 1, 1);
      break;
    }
    case 'task-closed': {
      const task = taskOf(numberOf(event.task));
      if (task.open === 0) break;
      writer.change(tables.task, task, { ...task, open: 0 });
      writer.tally('task.open', 1, -1);
      break;
    }
    case 'job-added': {
      const [id, task, algorithm] = [numberOf(event.job), taskOf(numberOf(event.task)), tokenOf(event.algorithm)];
      isNew(writer.get(tables.job, id) !== undefined, `job ${id}`);
      writer.add(tables.job, { id, task: task.id, algorithm: algorithm.seq, demander: event.demander, added: event.time, reports: 0 });
      writer.tally('job.task', task.id, 1);
      writer.tally('job.algorithm', algorithm.seq, 1);
      writer.tally('job.demander', event.demander, 1);
      break;
    }
    case 'receipts-anchored': {
      const { by, root, count, time, block, transaction } = event;
      writer.append(tables.anchor, { anchored_by: by, root, count, time, block, transaction_hash: transaction });
      writer.tally('anchor.by', by, 1);
      break;
    }
    case 'job-reported': {
      const [job, token] = [writer.get(tables.job, numberOf(event.job)), tokenOf(event.token)];
      if (job === undefined) throw misfit(`no job ${event.job} was added before`);
      const { state, receipt, reporter, time, block, transaction, anchor } = event;
      const before =
        job.reports === 0 ? undefined : writer.find(tables.report, 'where job = ? and token = ? order by seq desc', job.id, token.seq);
      const row = { job: job.id, token: token.seq, state, receipt, reporter, time, block, transaction_hash: transaction, anchor };
      writer.append(tables.report, row);
      writer.change(tables.job, job, { ...job, reports: job.reports + 1 });
      writer.tally('report.token', token.seq, 1);
      writer.tally('report.reporter', reporter, 1);
      if (before !== undefined) {
        writer.tally('share.state', before.state, -1);
        writer.tally('share.reporter', before.reporter, -1);
      }
      writer.tally('share.state', state, 1);
      writer.tally('share.reporter', reporter, 1);
      break;
    }
  }
}
