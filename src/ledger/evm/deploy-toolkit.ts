import { AbiCoder } from 'ethers/abi';
import { type Address, parseAddress } from '../../documents/ids.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { dataTokensBytecode, operatorsBytecode, organizationsBytecode, receiptsBytecode, taskMarketBytecode } from './abi/bytecode.js';
import type { AddressBook } from './address-book.js';
import { createCodecs } from './codecs.js';
import { openRpc, parseRpcUrl } from './connect-ledger.js';
import { quantityOf, type RpcOptions, resultOf } from './rpc.js';
import { type LedgerSigner, Transactor } from './transactor.js';

export interface DeployOptions extends RpcOptions {
  readonly rpcUrl: string;
  /** Pays; gets no rights. */
  readonly signer: LedgerSigner;
  /** The system administrator. */
  readonly admin: string;
  /** Upper bound for the wait for each receipt. Default 120000. */
  readonly receiptTimeoutMs?: number;
}

/** Deploys the five contracts. @throws DT_CHAIN_UNREACHABLE, DT_CHAIN_REJECTED, DT_CHAIN_TIMEOUT, DT_INPUT_INVALID */
export async function deployToolkit(options: DeployOptions): Promise<AddressBook> {
  const admin = parseAddress(options.admin, 'The address of the administrator');
  const rpc = openRpc(parseRpcUrl(options.rpcUrl), options);
  try {
    const [answer] = await rpc.send([{ method: 'eth_chainId', params: [] }]);
    const chainId = quantityOf(resultOf(answer, rpc, 'eth_chainId'), rpc, 'eth_chainId');
    const exchange = rpc.send.bind(rpc);
    const { signer, receiptTimeoutMs = 120_000 } = options;
    const transactor = new Transactor({ rpc, exchange, codecs: createCodecs(), chainId, signer, receiptTimeoutMs });

    const deploy = async (bytecode: string, ...args: Address[]): Promise<{ address: Address; block: number }> => {
      const encoded = new AbiCoder().encode(
        args.map(() => 'address'),
        args,
      );
      const { contract, block, transaction } = await transactor.execute(undefined, bytecode + encoded.slice(2));
      if (contract === undefined) throw new ToolkitError('DT_CHAIN_REJECTED', { reason: `${transaction} created no contract` });
      return { address: contract, block };
    };
    const organizations = await deploy(organizationsBytecode, admin);
    const [operators, tokens] = await Promise.all([
      deploy(operatorsBytecode, organizations.address),
      deploy(dataTokensBytecode, organizations.address),
    ]);
    const market = await deploy(taskMarketBytecode, organizations.address, tokens.address);
    const receipts = await deploy(receiptsBytecode, organizations.address, market.address);
    return {
      chainId,
      organizations: organizations.address,
      operators: operators.address,
      tokens: tokens.address,
      market: market.address,
      receipts: receipts.address,
      block: organizations.block,
    };
  } finally {
    rpc.close();
  }
}
