import type { Bytes32 } from '../../documents/ids.js';
import type { ChainTime, EventPlace, LedgerEvent, ReportState } from '../ledger.js';
import type { ChainClient } from './chain-client.js';
import { addressOf, bigintOf, bytes32Of, type ContractName, contractNames, fieldsOf, numberOf, textOf, tokenOf } from './codecs.js';
import { isRecord, quantityOf, type Rpc, type RpcCall, resultOf, unreachable } from './rpc.js';

/** A log as the node gives it, checked in form. */
export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly block: number;
  readonly blockHash: Bytes32;
  readonly logIndex: number;
  readonly transaction: Bytes32;
  /** Not every node tells it. */
  readonly time: ChainTime | undefined;
  /** The block of this log is no longer part of the chain. */
  readonly removed: boolean;
}

const STATES: readonly (ReportState | undefined)[] = [undefined, 'succeeded', 'failed', 'canceled', 'refused'];
const NOBODY = `0x${'0'.repeat(40)}`;

/** @throws DT_CHAIN_UNREACHABLE when it is no log */
export function parseLog(value: unknown, rpc: Rpc): ChainLog {
  if (!isRecord(value) || !Array.isArray(value['topics'])) throw unreachable(rpc.label, 'a log has another form');
  return {
    address: String(value['address']).toLowerCase(),
    topics: value['topics'].map(String),
    data: String(value['data']),
    block: quantityOf(value['blockNumber'], rpc, 'blockNumber of a log'),
    blockHash: bytes32Of(value['blockHash']),
    logIndex: quantityOf(value['logIndex'], rpc, 'logIndex of a log'),
    transaction: bytes32Of(value['transactionHash']),
    time: value['blockTimestamp'] === undefined ? undefined : quantityOf(value['blockTimestamp'], rpc, 'blockTimestamp of a log'),
    removed: value['removed'] === true,
  };
}

/** The events of these logs in order; logs that say nothing about the state of the ledger are left out. One round trip or none. */
export async function eventsOf(client: ChainClient, logs: readonly ChainLog[], rpc: Rpc = client.rpc): Promise<readonly LedgerEvent[]> {
  const times = await timesOf(rpc, logs);
  const events: LedgerEvent[] = [];
  for (const log of [...logs].sort((a, b) => a.block - b.block || a.logIndex - b.logIndex)) {
    const time = log.time ?? times.get(log.block);
    if (time === undefined) throw unreachable(rpc.label, `block ${log.block} has no time`);
    const body = bodyOf(client, log);
    if (body === undefined) continue;
    const { block, blockHash, logIndex } = log;
    events.push({ block, blockHash, logIndex, transaction: log.transaction, time, ...body });
  }
  return events;
}

async function timesOf(rpc: Rpc, logs: readonly ChainLog[]): Promise<ReadonlyMap<number, ChainTime>> {
  const blocks = [...new Set(logs.filter((log) => log.time === undefined).map((log) => log.block))];
  const calls: RpcCall[] = blocks.map((block) => ({ method: 'eth_getBlockByNumber', params: [`0x${block.toString(16)}`, false] }));
  const answers = await rpc.send(calls);
  return new Map(blocks.map((block, index) => [block, timeOfBlock(resultOf(answers[index], rpc, 'eth_getBlockByNumber'), rpc)]));
}

export function timeOfBlock(block: unknown, rpc: Rpc): ChainTime {
  return quantityOf(isRecord(block) ? block['timestamp'] : undefined, rpc, 'timestamp of a block');
}

type Body<Event = LedgerEvent> = Event extends unknown ? Omit<Event, keyof EventPlace> : never;

function bodyOf(client: ChainClient, log: ChainLog): Body | undefined {
  const contract = contractNames.find((name) => client.book[name] === log.address);
  if (contract === undefined) return undefined;
  try {
    const decoded = client.codecs.events(contract).decode(log.topics, log.data);
    return decoded && bodyOfEvent(contract, decoded.name, decoded.args);
  } catch (error) {
    if (error instanceof RangeError) throw unreachable(client.rpc.label, `a log of block ${log.block} has another form`, error);
    throw error;
  }
}

/** `args` in the order of the event's declaration in contracts/interfaces. */
function bodyOfEvent(contract: ContractName, name: string, args: readonly unknown[]): Body | undefined {
  const [a, b, c, d, e, f, g] = args;
  switch (name) {
    case 'OrganizationRecorded': {
      const texts = { name: textOf(b), description: textOf(c), url: textOf(d) };
      const organization = { address: addressOf(a), ...texts, linkKey: bytes32Of(e), isAggregator: f === true, isProvider: g === true };
      return { kind: 'organization', organization };
    }
    case 'OperatorPublished':
      return {
        kind: 'operator-published',
        operator: { id: tokenOf(a), owner: addressOf(b), digest: bytes32Of(c), version: 1, retired: false },
      };
    case 'OperatorUpdated':
      return { kind: 'operator-updated', operator: tokenOf(a), digest: bytes32Of(b), version: numberOf(c) };
    case 'OperatorRetired':
      return { kind: 'operator-retired', operator: tokenOf(a) };
    case 'TokenMinted':
      return { kind: 'token-minted', token: tokenOf(a), owner: addressOf(b), digest: bytes32Of(c), children: fieldsOf(d).map(tokenOf) };
    case 'TokenGranted':
      return { kind: 'granted', child: tokenOf(a), composite: tokenOf(b), until: numberOf(c) };
    case 'TokenRevoked':
      return { kind: 'revoked', child: tokenOf(a), composite: tokenOf(b) };
    case 'TokenActivated':
      return { kind: 'activated', token: tokenOf(a) };
    case 'Transfer': {
      // From nobody is the minting, which has an event of its own.
      const from = addressOf(a);
      if (from === NOBODY) return undefined;
      return { kind: 'transferred', contract: contract === 'operators' ? 'operator' : 'token', token: tokenOf(c), from, to: addressOf(b) };
    }
    case 'TaskCreated':
      return { kind: 'task-created', task: bigintOf(a), demander: addressOf(b), name: textOf(c), description: textOf(d) };
    case 'TaskClosed':
      return { kind: 'task-closed', task: bigintOf(a) };
    case 'JobAdded':
      return { kind: 'job-added', job: bigintOf(a), task: bigintOf(b), algorithm: tokenOf(c), demander: addressOf(d) };
    case 'JobReported': {
      const state = STATES[numberOf(c)];
      if (state === undefined) return undefined;
      const said = { state, receipt: bytes32Of(d), reporter: addressOf(e), anchor: bytes32Of(f) };
      return { kind: 'job-reported', job: bigintOf(a), token: tokenOf(b), ...said };
    }
    case 'ReceiptsAnchored':
      return { kind: 'receipts-anchored', by: addressOf(a), root: bytes32Of(b), count: numberOf(c) };
    default:
      // Approvals and the role events of AccessControl, which OrganizationRecorded covers.
      return undefined;
  }
}

/** Number of a report state in the contract. */
export const codeOfState = (state: ReportState): number => STATES.indexOf(state);
