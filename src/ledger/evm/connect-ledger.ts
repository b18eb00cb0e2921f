import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Ledger, LedgerReader } from '../ledger.js';
import type { AddressBook } from './address-book.js';
import { ChainClient } from './chain-client.js';
import { createCodecs } from './codecs.js';
import { EvmLedger } from './evm-ledger.js';
import { EvmReader } from './evm-reader.js';
import { openHttpRpc } from './http-rpc.js';
import type { Rpc, RpcOptions } from './rpc.js';
import { type LedgerSigner, Transactor } from './transactor.js';
import { openWsRpc } from './ws-rpc.js';

export interface ConnectOptions extends RpcOptions {
  /** http, https, ws or wss. With ws every answer and every receipt comes over one connection. */
  readonly rpcUrl: string;
  readonly addressBook: AddressBook;
  /** Where watch() listens. Default: the RPC URL with ws instead of http. */
  readonly wsUrl?: string;
  /** How often watch() asks an endpoint that has no WebSocket. Default 2000. */
  readonly watchIntervalMs?: number;
  /** Upper bound for the wait for a receipt. Default 120000. */
  readonly receiptTimeoutMs?: number;
}

/** Opens nothing yet: the first call connects, and checks chain and contracts in its own round trip. @throws DT_INPUT_INVALID */
export function connectLedger(options: ConnectOptions & { readonly signer: LedgerSigner }): Ledger;
export function connectLedger(options: ConnectOptions): LedgerReader;
export function connectLedger(options: ConnectOptions & { readonly signer?: LedgerSigner }): LedgerReader {
  const { addressBook, signer, receiptTimeoutMs = 120_000 } = options;
  const url = parseRpcUrl(options.rpcUrl);
  const rpc = openRpc(url, options);
  const codecs = createCodecs();
  const client = new ChainClient(rpc, addressBook, codecs);
  const wsUrl = parseRpcUrl(options.wsUrl ?? options.rpcUrl);
  wsUrl.protocol = wsUrl.protocol.replace('http', 'ws');
  const watching = { wsUrl, intervalMs: options.watchIntervalMs ?? 2_000, timeoutMs: options.timeoutMs ?? 30_000 };
  if (signer === undefined) return new EvmReader(client, watching);
  const exchange = client.exchange.bind(client);
  const transactor = new Transactor({ rpc, exchange, codecs, chainId: addressBook.chainId, signer, receiptTimeoutMs });
  return new EvmLedger(client, watching, transactor, signer.address);
}

export function openRpc(url: URL, options: RpcOptions): Rpc {
  return url.protocol.startsWith('ws') ? openWsRpc(url, options) : openHttpRpc(url, options);
}

/** @throws DT_INPUT_INVALID. The URL is not shown: it may hold a key. */
export function parseRpcUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol)) return url;
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'The RPC URL', reason: 'expected http, https, ws or wss' });
}
