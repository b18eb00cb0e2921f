import { type Address, type Bytes32, parseAddress, type TokenId } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { JobReport, Ledger, LedgerEvent, OrganizationInput, ReceiptBatch } from '../ledger.js';
import { type ChainClient, isRevert } from './chain-client.js';
import { codeOfState, eventsOf } from './chain-events.js';
import { type ContractName, wordOf } from './codecs.js';
import { EvmReader } from './evm-reader.js';
import { decodeRevert, revertError } from './reverts.js';
import { resultOf } from './rpc.js';
import type { Receipt, Transactor } from './transactor.js';
import type { WatchOptions } from './watch-ledger.js';

/** The ledger on an EVM chain, as one account may change it. Each write is two round trips where blocks are mined at once. */
export class EvmLedger extends EvmReader implements Ledger {
  readonly signer: Address;

  constructor(
    client: ChainClient,
    watching: WatchOptions,
    private readonly transactor: Transactor,
    signer: string,
  ) {
    super(client, watching);
    this.signer = parseAddress(signer, 'The address of the signer');
  }

  async registerOrganization(input: OrganizationInput): Promise<void> {
    const { address, name, description, url, linkKey, isAggregator, isProvider } = input;
    await this.#write('organizations', 'register', [address, [name, description, url, linkKey, isAggregator, isProvider]]);
  }

  async updateEndpoint(url: string, linkKey: Bytes32): Promise<void> {
    await this.#write('organizations', 'updateEndpoint', [url, linkKey]);
  }

  async publishOperator(salt: Bytes32, digest: Bytes32): Promise<TokenId> {
    await this.#write('operators', 'publish', [salt, digest]);
    return this.deriveId('operator', this.signer, salt);
  }

  async updateOperator(operator: TokenId, digest: Bytes32): Promise<number> {
    const receipt = await this.#write('operators', 'update', [wordOf(operator), digest]);
    return (await this.#eventIn(receipt, 'operator-updated')).version;
  }

  async retireOperator(operator: TokenId): Promise<void> {
    await this.#write('operators', 'retire', [wordOf(operator)]);
  }

  async mintToken(salt: Bytes32, digest: Bytes32, children: readonly TokenId[]): Promise<TokenId> {
    await this.#write('tokens', 'mint', [salt, digest, children.map(wordOf)]);
    return this.deriveId('token', this.signer, salt);
  }

  async grant(child: TokenId, composite: TokenId, until: number): Promise<void> {
    if (!Number.isSafeInteger(until) || until < 0 || until >= 2 ** 48 - 1) {
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: 'The expiry',
        reason: `expected seconds since 1970, or 0 for none, got ${until}`,
      });
    }
    await this.#write('tokens', 'grant', [wordOf(child), wordOf(composite), until]);
  }

  async revoke(child: TokenId, composite: TokenId): Promise<void> {
    await this.#write('tokens', 'revoke', [wordOf(child), wordOf(composite)]);
  }

  async activate(composite: TokenId): Promise<void> {
    await this.#write('tokens', 'activate', [wordOf(composite)]);
  }

  async createTask(name: string, description: string): Promise<bigint> {
    const receipt = await this.#write('market', 'createTask', [name, description]);
    return (await this.#eventIn(receipt, 'task-created')).task;
  }

  async closeTask(task: bigint): Promise<void> {
    await this.#write('market', 'closeTask', [task]);
  }

  async addJob(task: bigint, algorithm: TokenId): Promise<bigint> {
    const receipt = await this.#write('market', 'addJob', [task, wordOf(algorithm)]);
    return (await this.#eventIn(receipt, 'job-added')).job;
  }

  async anchorReceipts({ root, count, reports }: ReceiptBatch): Promise<Bytes32> {
    return (await this.#write('receipts', 'anchor', [root, count, reports.map(reportArgument)])).transaction;
  }

  async refusals(reports: readonly JobReport[]): Promise<readonly (ToolkitError | undefined)[]> {
    const { book, codecs, rpc } = this.client;
    // Under the digest of the receipt itself as root, since that is the root of nothing.
    const calls = reports.map((report) => {
      const data = codecs.of('receipts').encodeFunctionData('anchor', [report.receipt, 1, [reportArgument(report)]]);
      return { method: 'eth_call', params: [{ from: this.signer, to: book.receipts, data }, 'latest'] };
    });
    const answers = calls.length === 0 ? [] : await this.client.exchange(calls);
    return calls.map((call, index) => {
      const answer = answers[index];
      if (answer?.ok === false && isRevert(answer.error)) return revertError(decodeRevert(codecs, answer.error.data, answer.error.message));
      resultOf(answer, rpc, call.method);
      return undefined;
    });
  }

  async #write(contract: ContractName, method: string, args: readonly unknown[]): Promise<Receipt> {
    const data = this.client.codecs.of(contract).encodeFunctionData(method, args);
    return this.transactor.execute(this.client.book[contract], data);
  }

  async #eventIn<Kind extends LedgerEvent['kind']>(receipt: Receipt, kind: Kind): Promise<Extract<LedgerEvent, { kind: Kind }>> {
    const events = await eventsOf(
      this.client,
      // The time is not asked for: nobody reads it here.
      receipt.logs.map((log) => ({ ...log, time: log.time ?? 0 })),
    );
    for (const event of events) if (isKind(event, kind)) return event;
    throw new ToolkitError('DT_CHAIN_UNREACHABLE', {
      url: this.client.rpc.label,
      reason: `the receipt of ${receipt.transaction} has no event ${kind}`,
    });
  }
}

/** IReceipts.Report */
const reportArgument = ({ jobId, path, state, receipt }: JobReport): readonly unknown[] => [
  jobId,
  path.map(wordOf),
  codeOfState(state),
  receipt,
];

function isKind<Kind extends LedgerEvent['kind']>(event: LedgerEvent, kind: Kind): event is Extract<LedgerEvent, { kind: Kind }> {
  return event.kind === kind;
}
