import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { Interface, id, Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAddress, parseBytes32 } from '../../../src/documents/ids.js';
import { type AddressBook, parseAddressBook, serializeAddressBook } from '../../../src/ledger/evm/address-book.js';
import { type ConnectOptions, connectLedger } from '../../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../../src/ledger/evm/deploy-toolkit.js';
import type { Ledger, LedgerEvent } from '../../../src/ledger/ledger.js';
import { type DevChain, startAnvilChain } from '../../support/dev-chains.js';
import { type GateOptions, openRpcGate, type RpcMessage } from '../../support/rpc-gate.js';

const random = () => parseBytes32(`0x${randomBytes(32).toString('hex')}`);

describe('EVM endpoints', () => {
  let chain: DevChain;
  let book: AddressBook;
  const wallet = Wallet.createRandom();
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    chain = await startAnvilChain();
    book = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: wallet, admin: wallet.address });
  }, 60_000);
  afterAll(async () => {
    for (const close of closing) await close();
    await chain.close();
  });

  const connect = (options: Partial<ConnectOptions> = {}): Ledger => {
    const ledger = connectLedger({ rpcUrl: chain.rpcUrl, addressBook: book, signer: wallet, ...options });
    closing.push(() => ledger.close());
    return ledger;
  };
  const gate = async (options: GateOptions) => {
    const opened = await openRpcGate(chain.rpcUrl, options);
    closing.unshift(() => opened.close());
    return opened;
  };
  const publish = (ledger: Ledger) => ledger.publishOperator(random(), random());

  describe('round trips', () => {
    it.each(['http', 'ws'])('are one for every read, with the checks of the first, over %s', async (scheme) => {
      const trips: (readonly string[])[] = [];
      const ledger = connect({ rpcUrl: chain.rpcUrl.replace('http', scheme), onRoundTrip: (methods) => trips.push(methods) });
      const operator = await publish(ledger);
      const reads = [
        () => ledger.operatorsAndOrganizations([operator], [ledger.signer]),
        () => ledger.events(),
        () => ledger.head(),
        () => ledger.tokenTree(operator).catch(() => undefined),
        () => ledger.jobTree(1n).catch(() => undefined),
      ];
      for (const read of reads) {
        trips.length = 0;
        await read();
        expect(trips).toHaveLength(1);
      }
    });

    it('are none for nothing and for derived ids', async () => {
      const trips: unknown[] = [];
      const ledger = connect({ onRoundTrip: (methods) => trips.push(methods) });
      await ledger.operatorsAndOrganizations([], []);
      ledger.deriveId('token', ledger.signer, random());
      expect(trips).toEqual([]);
    });

    it('check chain and contracts with the first call only', async () => {
      const trips: (readonly string[])[] = [];
      const ledger = connect({ onRoundTrip: (methods) => trips.push(methods) });
      await ledger.head();
      await ledger.head();
      expect(trips.map((methods) => methods.includes('eth_chainId'))).toEqual([true, false]);
    });
  });

  describe('the wrong place', () => {
    it('is another chain', async () => {
      const addressBook = { ...book, chainId: 5 };
      const wrong = { code: 'DT_CHAIN_WRONG', details: { url: chain.rpcUrl, actual: 31337, expected: 5 } };
      await expect(connect({ addressBook }).head()).rejects.toMatchObject(wrong);
      await expect(publish(connect({ addressBook }))).rejects.toMatchObject(wrong);
    });

    it('is an address without the contract, also for a write, which the chain would accept', async () => {
      const market = parseAddress(`0x${'12'.repeat(20)}`);
      const ledger = connect({ addressBook: { ...book, market } });
      await expect(ledger.createTask('a', 'b')).rejects.toMatchObject({ code: 'DT_CHAIN_NOT_DEPLOYED', details: { address: market } });
    });

    it('is a contract of another deployment', async () => {
      const other = await deployToolkit({ rpcUrl: chain.rpcUrl, signer: wallet, admin: wallet.address });
      const mixed = connect({ addressBook: { ...book, tokens: other.tokens } });
      await expect(mixed.head()).rejects.toMatchObject({ code: 'DT_CHAIN_NOT_DEPLOYED' });
    });

    it('is nothing at all, and the key in its URL is not shown', async () => {
      const port = await freePort();
      const ledger = connect({ rpcUrl: `http://user:pass@127.0.0.1:${port}/v3/api-key-of-mine` });
      const error = await ledger.head().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'DT_CHAIN_UNREACHABLE', details: { reason: 'ECONNREFUSED' } });
      expect(JSON.stringify(error)).not.toMatch(/api-key|pass/);
    });

    it('is no JSON-RPC endpoint', async () => {
      const html = await gate({ instead: () => '<html>welcome</html>' });
      await expect(connect({ rpcUrl: html.rpcUrl }).head()).rejects.toMatchObject({ code: 'DT_CHAIN_UNREACHABLE' });
      expect(() => connect({ rpcUrl: 'ftp://chain' })).toThrow(/RPC URL/);
    });

    it('is an endpoint that does not answer in time', async () => {
      const silent = createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      closing.push(() => silent.close());
      const address = silent.address() as { port: number };
      const ledger = connect({ rpcUrl: `http://127.0.0.1:${address.port}`, timeoutMs: 100 });
      await expect(ledger.head()).rejects.toMatchObject({ code: 'DT_CHAIN_UNREACHABLE', retryable: true });
      ledger.close();
    });
  });

  describe('limited endpoints', () => {
    it('that refuse batches get the calls one by one', async () => {
      const single = await gate({
        instead: (batch) => (batch ? { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no batches' } } : undefined),
      });
      const ledger = connect({ rpcUrl: single.rpcUrl });
      const operator = await publish(ledger);
      const { operators } = await ledger.operatorsAndOrganizations([operator], []);
      expect(operators[0]?.id).toBe(operator);
    });

    it('that limit the range of logs give all events in parts', async () => {
      const all = await connect().events();
      const narrow = await gate({ edit: rangeLimit(3) });
      const parts: string[] = [];
      const ledger = connect({ rpcUrl: narrow.rpcUrl, onRoundTrip: (methods) => parts.push(methods.join()) });
      expect(await ledger.events()).toEqual(all);
      expect(parts.length).toBeGreaterThan(2);
    });

    it('that give no times in logs are asked for them', async () => {
      const all = await connect().events();
      expect(all.length).toBeGreaterThan(0);
      const plain = connect({ rpcUrl: (await gate({ edit: withoutTimes })).rpcUrl });
      expect(await plain.events()).toEqual(all);
    });
  });

  describe('two processes with one key', () => {
    it('both get their transactions mined', async () => {
      const [one, two] = [connect(), connect()];
      const ids = await Promise.all([one, two, one, two, one, two].map(publish));
      expect(new Set(ids).size).toBe(6);
    });
  });

  describe('a chain that does not mine', () => {
    it('lets the wait for a receipt end, with the transaction named', async () => {
      const idle = await startAnvilChain(['--no-mining', '--base-fee', '0', '--gas-price', '0', '--disable-min-priority-fee']);
      try {
        const deploying = deployToolkit({ rpcUrl: idle.rpcUrl, signer: wallet, admin: wallet.address, receiptTimeoutMs: 200 });
        await expect(deploying).rejects.toMatchObject({
          code: 'DT_CHAIN_TIMEOUT',
          details: { seconds: 0.2, transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
        });
      } finally {
        await idle.close();
      }
    });
  });

  describe('a transaction that fails when it is mined, though it was fine before', () => {
    it('is told with its reason', async () => {
      // The estimate of a node that is behind: it has not seen the first.
      const behind = await gate({
        edit: ({ id, method }, answer) =>
          method === 'eth_estimateGas' && 'error' in answer ? { jsonrpc: '2.0', id, result: '0x40000' } : answer,
      });
      const ledger = connect({ rpcUrl: behind.rpcUrl });
      const salt = random();
      await ledger.publishOperator(salt, random());
      await expect(ledger.publishOperator(salt, random())).rejects.toMatchObject({
        code: 'DT_CHAIN_REVERTED',
        details: { name: 'OperatorExists' },
      });
    });
  });

  describe('texts of others', () => {
    const organization = () => ({
      ...{ address: parseAddress(wallet.address), name: 'Bank', description: 'Line\none', url: 'https://a.example', linkKey: random() },
      ...{ isAggregator: true, isProvider: false },
    });

    it('that are no UTF-8 spoil nothing but themselves', async () => {
      const ledger = connect();
      await ledger.registerOrganization(organization());
      const raw = new Interface(['function updateEndpoint(bytes url, bytes32 linkKey)']).encodeFunctionData('updateEndpoint', [
        '0xff',
        random(),
      ]);
      const data = id('updateEndpoint(string,bytes32)').slice(0, 10) + raw.slice(10);
      const nonce = Number(await chain.rpc('eth_getTransactionCount', wallet.address, 'latest'));
      const fees = { maxFeePerGas: 0, maxPriorityFeePerGas: 0 };
      const transaction = { ...fees, type: 2, chainId: book.chainId, to: book.organizations, data, nonce, gasLimit: 200_000 };
      await chain.rpc('eth_sendRawTransaction', await wallet.signTransaction(transaction));

      const { organizations } = await connect().operatorsAndOrganizations([], [ledger.signer]);
      expect(organizations[0]).toMatchObject({ name: 'Bank', description: 'Line\none', url: '\u{fffd}' });
      const events = await connect().events();
      expect(events.at(-1)).toMatchObject({ kind: 'organization', organization: { name: 'Bank', url: '\u{fffd}' } });
    });

    it('cannot steer the terminal that shows them', async () => {
      const ledger = connect();
      await ledger.registerOrganization(organization());
      await ledger.createTask('\u001b[2Jgone\u202e', 'two\nlines');
      const events = await ledger.events();
      expect(events.at(-1)).toMatchObject({ kind: 'task-created', name: '\u{fffd}[2Jgone\u{fffd}', description: 'two\nlines' });
    });
  });

  describe('a connection that is lost while a transaction is on its way', () => {
    it('does not lose the transaction, and does not send a second', async () => {
      const trips: (readonly string[])[] = [];
      let cuts = 0;
      const shaky = await gate({
        // The chain has taken it; the answer is lost, and so is the answer to the repetition on a new connection.
        edit: ({ method }, answer) => {
          if (method === 'eth_sendRawTransaction' && cuts++ < 2) shaky.cut();
          return answer;
        },
      });
      const ledger = connect({ rpcUrl: shaky.rpcUrl, onRoundTrip: (methods) => trips.push(methods) });
      const operator = await publish(ledger);
      expect(trips.filter((methods) => methods.includes('eth_sendRawTransaction'))).toHaveLength(2);
      const published = (await connect().events()).filter((event) => event.kind === 'operator-published' && event.operator.id === operator);
      expect(published).toHaveLength(1);
    });
  });

  describe('watching', () => {
    it('asks at an interval where there is no WebSocket', async () => {
      const plain = await gate({ webSocket: false });
      const heard = await watchFrom(connect({ rpcUrl: plain.rpcUrl, watchIntervalMs: 10 }), await headOf());
      const operators = [await publish(connect()), await publish(connect())];
      await heard.count(2);
      expect(heard.events.map((event) => (event.kind === 'operator-published' ? event.operator.id : event.kind))).toEqual(operators);
      await heard.end();
    });

    it('replays what was missed after a lost connection, and tells of the loss and of its end', async () => {
      const shaky = await gate({});
      const heard = await watchFrom(connect({ rpcUrl: shaky.rpcUrl }), await headOf());
      const writer = connect();
      const operators = [];
      for (let loss = 1; loss <= 3; loss++) {
        operators.push(await publish(writer));
        await heard.count(2 * loss - 1);
        shaky.cut();
        operators.push(await publish(writer));
        await heard.count(2 * loss);
        await heard.again(loss);
      }
      expect(heard.events.map((event) => (event.kind === 'operator-published' ? event.operator.id : event.kind))).toEqual(operators);
      expect(heard.gaps.length).toBeGreaterThanOrEqual(3);
      await heard.end();
    });

    it.each([
      ['pushed', true],
      ['asked for', false],
    ])('tells when a reorganization takes events back, %s', async (_, webSocket) => {
      const door = await gate({ webSocket });
      const heard = await watchFrom(connect({ rpcUrl: door.rpcUrl, watchIntervalMs: 10 }), await headOf());
      const snapshot = await chain.rpc('evm_snapshot');
      const writer = connect();
      await publish(writer);
      await heard.count(1);
      await chain.rpc('evm_revert', snapshot);
      const after = await publish(connect());
      await heard.count(2);
      // A node that goes back like this pushes no removed logs; the replay after a loss finds out.
      if (webSocket) door.cut();
      await heard.gap(/reorganized/);
      expect(heard.events.at(-1)).toMatchObject({ kind: 'operator-published', operator: { id: after } });
      await heard.end();
    });

    it('ends at once, and at the wrong chain with an error', async () => {
      const ended = new AbortController();
      ended.abort();
      await connect().watch(() => undefined, { fromBlock: 0, signal: ended.signal });
      const wrong = connect({ addressBook: { ...book, chainId: 5 } });
      await expect(wrong.watch(() => undefined, { fromBlock: 0, signal: new AbortController().signal })).rejects.toMatchObject({
        code: 'DT_CHAIN_WRONG',
      });
    });
  });

  describe('the address book', () => {
    it('comes back as it was', () => {
      expect(parseAddressBook(serializeAddressBook(book))).toEqual(book);
    });

    it.each([
      ['no JSON', '{', 'DT_INPUT_JSON'],
      ['a list', '[]', 'DT_INPUT_INVALID'],
      ['a missing contract', JSON.stringify({ chainId: 1, block: 0 }), 'DT_INPUT_INVALID'],
      ['a chain id that is none', JSON.stringify({ chainId: '1', block: 0 }), 'DT_INPUT_INVALID'],
      ['an older version', JSON.stringify({ chainId: 1, market: 'x', block: 0 }), 'DT_CHAIN_BOOK_OLD'],
      ['an unknown key', JSON.stringify({ market: 'x', other: 1 }), 'DT_INPUT_INVALID'],
    ])('is refused with %s', (_, text, code) => {
      expect(() => parseAddressBook(text)).toThrow(expect.objectContaining({ code }));
    });
  });

  const headOf = async () => (await connect().head()).block + 1;
});

/** An endpoint that refuses eth_getLogs over more than `limit` blocks. */
function rangeLimit(limit: number): GateOptions['edit'] {
  return ({ id, method, params }, answer) => {
    if (method !== 'eth_getLogs') return answer;
    const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
    const wide = toBlock === 'latest' || Number(toBlock) - Number(fromBlock) >= limit;
    return wide ? { jsonrpc: '2.0', id, error: { code: -32005, message: `at most ${limit} blocks` } } : answer;
  };
}

/** An endpoint of before logs had times. */
function withoutTimes({ method }: RpcMessage, answer: Record<string, unknown>): unknown {
  if (method !== 'eth_getLogs') return answer;
  const logs = answer['result'] as Record<string, unknown>[];
  return { ...answer, result: logs.map(({ blockTimestamp: _, ...log }) => log) };
}

async function watchFrom(ledger: Ledger, fromBlock: number) {
  const [events, gaps, ending, checks] = [[] as LedgerEvent[], [] as string[], new AbortController(), new Set<() => void>()];
  const notify = () => {
    for (const check of checks) check();
  };
  let resumed = 0;
  const watching = ledger.watch(
    (event) => {
      events.push(event);
      notify();
    },
    {
      fromBlock,
      signal: ending.signal,
      onGap: (reason) => {
        gaps.push(reason);
        notify();
      },
      onWatched: () => {
        resumed += 1;
        notify();
      },
    },
  );
  const when = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        checks.delete(check);
        resolve();
      };
      checks.add(check);
      check();
    });
  return {
    events,
    gaps,
    count: (count: number) => when(() => events.length >= count),
    gap: (pattern: RegExp) => when(() => gaps.some((gap) => pattern.test(gap))),
    again: (times: number) => when(() => resumed >= times),
    end: async () => {
      ending.abort();
      await watching;
      ledger.close();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
