import type { Address } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { AddressBook } from './address-book.js';
import { type Codecs, type ContractName, fieldsOf } from './codecs.js';
import { decodeRevert, revertError } from './reverts.js';
import { quantityOf, type Rpc, type RpcAnswer, type RpcCall, resultOf } from './rpc.js';

export interface ViewCall {
  readonly contract: ContractName;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Selectors of `organizations()` and so on: to hash these three names would cost a short command more than what it then asks. */
export const BOOK_GETTERS = { organizations: '0x234db1de', tokens: '0x9d63848a', market: '0x80f55605' } as const;

/**
 * The contracts of one address book behind one endpoint. The first round trip also asks whether this is the chain, and
 * whether these are the contracts, of the address book; nothing that came with it is used before that is answered.
 */
export class ChainClient {
  #verified = false;

  constructor(
    readonly rpc: Rpc,
    readonly book: AddressBook,
    readonly codecs: Codecs,
  ) {}

  /** One round trip. @throws DT_CHAIN_UNREACHABLE, DT_CHAIN_WRONG, DT_CHAIN_NOT_DEPLOYED */
  async exchange(calls: readonly RpcCall[], rpc: Rpc = this.rpc): Promise<readonly RpcAnswer[]> {
    if (this.#verified && rpc === this.rpc) return rpc.send(calls);
    const questions = this.#questions();
    const answers = await rpc.send([...questions.map((each) => each.call), ...calls]);
    for (const [index, question] of questions.entries()) question.check(resultOf(answers[index], rpc, question.call.method));
    if (rpc === this.rpc) this.#verified = true;
    return answers.slice(questions.length);
  }

  /**
   * The decoded results of view calls, in one round trip.
   * @throws DT_CHAIN_REVERTED, DT_CHAIN_NOT_DEPLOYED, DT_CHAIN_UNREACHABLE
   */
  async view(calls: readonly ViewCall[]): Promise<readonly (readonly unknown[])[]> {
    const answers = await this.exchange(calls.map((call) => this.encodeView(call)));
    return calls.map((call, index) => this.decodeView(call, answers[index]));
  }

  encodeView(call: ViewCall): RpcCall {
    const data = this.codecs.of(call.contract).encodeFunctionData(call.method, call.args);
    return { method: 'eth_call', params: [{ to: this.book[call.contract], data }, 'latest'] };
  }

  decodeView(call: ViewCall, answer: RpcAnswer | undefined): readonly unknown[] {
    if (answer?.ok === false && isRevert(answer.error)) {
      throw revertError(decodeRevert(this.codecs, answer.error.data, answer.error.message));
    }
    const result = resultOf(answer, this.rpc, `eth_call ${call.method}`);
    if (result === '0x') throw this.#notDeployed(this.book[call.contract]);
    try {
      return fieldsOf(this.codecs.of(call.contract).decodeFunctionResult(call.method, String(result)));
    } catch (error) {
      throw new ToolkitError('DT_CHAIN_UNREACHABLE', { url: this.rpc.label, reason: `${call.method}: the result has another form` }, error);
    }
  }

  /** That each contract names the others of the address book shows that all are of one deployment. */
  #questions(): readonly { call: RpcCall; check: (result: unknown) => void }[] {
    const { book, rpc } = this;
    const names = (contract: ContractName, method: keyof typeof BOOK_GETTERS) => {
      const call: RpcCall = { method: 'eth_call', params: [{ to: book[contract], data: BOOK_GETTERS[method] }, 'latest'] };
      const check = (result: unknown) => {
        if (
          typeof result !== 'string' ||
          !/^0x0{24}[0-9a-fA-F]{40}$/.test(result) ||
          `0x${result.slice(26).toLowerCase()}` !== book[method]
        ) {
          throw this.#notDeployed(book[contract]);
        }
      };
      return { call, check };
    };
    const chain = {
      call: { method: 'eth_chainId', params: [] },
      check: (result: unknown) => {
        const actual = quantityOf(result, rpc, 'eth_chainId');
        if (actual !== book.chainId) throw new ToolkitError('DT_CHAIN_WRONG', { url: rpc.label, actual, expected: book.chainId });
      },
    };
    return [
      chain,
      names('market', 'organizations'),
      names('market', 'tokens'),
      names('operators', 'organizations'),
      names('tokens', 'organizations'),
      names('receipts', 'organizations'),
      names('receipts', 'market'),
    ];
  }

  #notDeployed(address: Address): ToolkitError {
    return new ToolkitError('DT_CHAIN_NOT_DEPLOYED', { address, chain: this.book.chainId });
  }
}

export function isRevert(error: { readonly code: number; readonly message: string; readonly data: string | undefined }): boolean {
  return error.code === 3 || (error.data !== undefined && error.data !== '0x') || /revert/i.test(error.message);
}
