import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { id } from 'ethers/hash';
import { type Address, bytes32OfToken } from '../src/documents/ids.js';
import type { AddressBook } from '../src/ledger/evm/address-book.js';
import { createCodecs } from '../src/ledger/evm/codecs.js';
import { type EventBody, wordOf } from '../tests/support/generated-chain.js';
import { hashOfBlock } from './generated-lattice.js';

const LOGS_OF_BLOCK = 10;
const TIME = 1_700_000_000;

const word = (value: bigint | number | string): string =>
  (typeof value === 'string' ? value.replace(/^0x/, '') : value.toString(16)).padStart(64, '0');
const text = (value: string): string => {
  const hex = Buffer.from(value).toString('hex');
  return word(hex.length / 2) + hex.padEnd(Math.ceil(hex.length / 64) * 64, '0');
};

/** A node with a chain of generated events: what the toolkit asks of one, with logs as the contracts would write them, ten in a block. */
export async function serveEvents(book: AddressBook, events: readonly EventBody[]): Promise<{ url: string; server: Server; head: number }> {
  const encode = logEncoder(book);
  const head = Math.ceil(events.length / LOGS_OF_BLOCK);
  const quantity = (value: unknown): number => (value === 'latest' ? head : Number(value));
  const block = (number: number): object | null =>
    number > head
      ? null
      : { number: `0x${number.toString(16)}`, hash: hashOfBlock(number), timestamp: `0x${(TIME + number).toString(16)}` };
  const named = new Map([
    ...(['organizations', 'tokens', 'market'] as const).map((name) => [id(`${name}()`).slice(0, 10), book[name]] as const),
  ]);
  const answer = ({ method, params }: { method: string; params: readonly [never, ...unknown[]] }): unknown => {
    const [first] = params as unknown as readonly [Record<string, string>];
    if (method === 'eth_chainId') return `0x${book.chainId.toString(16)}`;
    if (method === 'eth_blockNumber') return `0x${head.toString(16)}`;
    if (method === 'eth_getBlockByNumber') return block(quantity(first));
    if (method === 'eth_call') return `0x${word(named.get(String(first?.['data']).slice(0, 10)) ?? '')}`;
    if (method !== 'eth_getLogs') throw new Error(`the generated chain does not know ${method}`);
    const [from, to] = [Math.max(1, quantity(first?.['fromBlock'])), Math.min(head, quantity(first?.['toBlock']))];
    const logs: object[] = [];
    for (let number = from; number <= to; number++) {
      const place = {
        blockNumber: `0x${number.toString(16)}`,
        blockHash: hashOfBlock(number),
        blockTimestamp: `0x${(TIME + number).toString(16)}`,
      };
      const within = events.slice((number - 1) * LOGS_OF_BLOCK, number * LOGS_OF_BLOCK);
      for (const [i, event] of within.entries())
        logs.push({ ...encode(event), ...place, logIndex: `0x${i.toString(16)}`, transactionHash: place.blockHash, removed: false });
    }
    return logs;
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const reply = (call: { id: number; method: string; params: readonly [never] }) => ({
      jsonrpc: '2.0',
      id: call.id,
      result: answer(call),
    });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(Array.isArray(body) ? body.map(reply) : reply(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, head };
}

/** Encoding by the ABI library would take minutes for a million logs. */
function logEncoder(book: AddressBook): (event: EventBody) => { address: Address; topics: readonly string[]; data: string } {
  const codecs = createCodecs();
  const topicOf = new Map<string, string>();
  for (const abi of codecs.all()) abi.forEachEvent(({ name, topicHash }) => topicOf.set(name, topicHash));
  const log = (address: Address, name: string, topics: readonly string[], ...data: readonly string[]) => ({
    address,
    topics: [topicOf.get(name) ?? '', ...topics.map((topic) => `0x${word(topic)}`)],
    data: `0x${data.join('')}`,
  });
  const hex = (value: bigint): string => value.toString(16);
  return (event) => {
    switch (event.kind) {
      case 'organization': {
        const { address, name, linkKey } = event.organization;
        const [first, empty] = [text(name), text('')];
        const at = (words: number): string => word(words * 32);
        const heads = [at(6), at(6 + first.length / 64), at(7 + first.length / 64), word(linkKey), word(1), word(1)];
        return log(book.organizations, 'OrganizationRecorded', [address], ...heads, first, empty, empty);
      }
      case 'token-minted': {
        const children = event.children.map((child) => word(bytes32OfToken(child)));
        const list = [word(64), word(children.length), ...children];
        return log(book.tokens, 'TokenMinted', [bytes32OfToken(event.token), event.owner], word(event.digest), ...list);
      }
      case 'granted':
        return log(book.tokens, 'TokenGranted', [bytes32OfToken(event.child), bytes32OfToken(event.composite)], word(event.until));
      case 'activated':
        return log(book.tokens, 'TokenActivated', [bytes32OfToken(event.token)]);
      case 'task-created': {
        const name = text(event.name);
        return log(book.market, 'TaskCreated', [hex(event.task), event.demander], word(64), word(64 + name.length / 2), name, text(''));
      }
      case 'job-added':
        return log(book.market, 'JobAdded', [hex(event.job), hex(event.task), bytes32OfToken(event.algorithm)], word(event.demander));
      case 'receipts-anchored':
        return log(book.receipts, 'ReceiptsAnchored', [event.by, event.root], word(event.count));
      case 'job-reported':
        return log(
          book.receipts,
          'JobReported',
          [hex(event.job), bytes32OfToken(event.token), event.anchor],
          word(1),
          word(event.receipt),
          word(event.reporter),
        );
      default:
        throw new Error(`nothing generates ${event.kind}`);
    }
  };
}

export const generatedBook: AddressBook = {
  chainId: 31_337,
  organizations: `0x${wordOf('organizations').slice(26)}` as Address,
  operators: `0x${wordOf('operators').slice(26)}` as Address,
  tokens: `0x${wordOf('tokens').slice(26)}` as Address,
  market: `0x${wordOf('market').slice(26)}` as Address,
  receipts: `0x${wordOf('receipts').slice(26)}` as Address,
  block: 1,
};
