import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { AnvilBinary } from './anvil-binary.js';
import { type AnvilProcess, startAnvil } from './anvil-process.js';
import type { ChainFolder } from './chain-folder.js';
import { EMBEDDED_CHAIN_ID } from './genesis.js';
import { corrupt, Journal } from './journal.js';
import { hashOf, objectOf } from './journal-record.js';
import { type Head, type MinedRecord, mineRecord, readHead, type WaitingPool } from './mine-record.js';
import { RpcLink, type RpcOutcome } from './rpc-link.js';

const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 60_000;
/** Upper bound for one block. The gas limit ends every transaction long before; past this the engine hangs and is replaced. */
const MINE_TIMEOUT_MS = 120_000;

/** One running anvil and how far it has come with the journal. */
interface Run {
  readonly process: AnvilProcess;
  readonly link: RpcLink;
  readonly pool: WaitingPool;
  head: Head;
  /** Records of the journal that it has mined. */
  applied: number;
  last: MinedRecord | undefined;
}

/**
 * Anvil and the journal together: what is committed is on disk first, and whenever anvil ends it is replaced by a fresh one that
 * replays the journal. Reads wait for the replay; a commit that was under way is answered from it.
 */
export class ChainEngine {
  readonly #folder: ChainFolder;
  readonly #binary: AnvilBinary;
  readonly #onLog: (line: string) => void;
  readonly #restarts: number[] = [];
  #journal: Journal | undefined;
  #current: Promise<Run>;
  #latest: Run | undefined;
  #checkpointing: Promise<void> = Promise.resolve();
  #stopping = false;
  #giveUp: (error: ToolkitError) => void = () => undefined;
  /** Resolves when anvil cannot be brought back. Never rejects. */
  readonly failed: Promise<ToolkitError>;

  constructor(folder: ChainFolder, binary: AnvilBinary, onLog: (line: string) => void) {
    this.#folder = folder;
    this.#binary = binary;
    this.#onLog = onLog;
    this.failed = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    this.#current = Promise.reject(new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: 'it was not started' }));
    this.#current.catch(() => undefined);
  }

  /** Replays what is on disk. @throws DT_CHAIN_JOURNAL_CORRUPT, DT_CHAIN_ENGINE_FAILED */
  async start(): Promise<void> {
    this.#journal = await this.#folder.open();
    this.#current = this.#launch();
    this.#current.catch(() => undefined);
    await this.#current;
  }

  get head(): Head | undefined {
    return this.#latest?.head;
  }

  /** Work that the next start would have to repeat. */
  get backlog(): { blocks: number; sizeBytes: number } {
    return { blocks: this.#journal?.records.length ?? 0, sizeBytes: this.#journal?.sizeBytes ?? 0 };
  }

  /** For reads; asks a second time when anvil went away meanwhile. @throws DT_CHAIN_ENGINE_FAILED when it cannot be brought back */
  async request(method: string, params: unknown): Promise<RpcOutcome> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const run = await this.#current;
      const outcome = await run.link.request(method, params);
      if (outcome !== undefined) return outcome;
      this.#lose(run);
    }
    throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: 'it was restarted twice during one call' });
  }

  /** A link of its own, for the subscriptions of one client. It closes when anvil ends. */
  async openLink(onNotification: (params: unknown) => void): Promise<RpcLink> {
    const run = await this.#current;
    return RpcLink.connect(run.process.socketPath, onNotification);
  }

  /**
   * One block with these transactions, durable when it returns. One call at a time, not beside checkpoint().
   * @throws DT_CHAIN_ENGINE_FAILED when it could not be written (nothing happened), or anvil cannot be brought back
   */
  async commit(transactions: readonly string[], wallSeconds: number): Promise<MinedRecord> {
    const { head } = await this.#current;
    const journal = this.#open();
    await journal.append({ parent: head.hash, time: Math.max(wallSeconds, head.time), transactions });
    for (;;) {
      const run = await this.#current;
      const hung = setTimeout(() => void run.process.kill(), MINE_TIMEOUT_MS);
      const done = await this.#catchUp(run).catch((error: unknown) => this.#distrust(run, error));
      clearTimeout(hung);
      if (done && run.last !== undefined) return run.last;
      this.#lose(run);
    }
  }

  /**
   * What anvil still holds: hashes of acknowledged transactions outside of any block, and whether some of them only wait for
   * room in the next one. What is in neither was dropped, because a transaction before it made it invalid.
   */
  async waiting(): Promise<{ readonly isReady: boolean; readonly hashes: ReadonlySet<string> }> {
    const { pool } = await this.#current;
    if (pool.size === 0) return { isReady: false, hashes: new Set() };
    const outcome = await this.request('txpool_content', []);
    if ('error' in outcome) throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: outcome.error.message });
    const { ready, queued } = parsePool(outcome.result);
    const hashes = new Set([...ready, ...queued]);
    for (const hash of [...pool.keys()]) if (!hashes.has(hash)) pool.delete(hash);
    return { isReady: ready.length > 0, hashes };
  }

  /** The state of now becomes the start of a new journal. Only at rest. When it fails, the old journal goes on. */
  async checkpoint(): Promise<void> {
    if (this.backlog.blocks === 0) return;
    const run = await this.#current;
    const work = this.#writeCheckpoint(run);
    this.#checkpointing = work.catch(() => undefined);
    await work;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#checkpointing;
    const run = await this.#current.catch(() => undefined);
    run?.link.close();
    await run?.process.kill();
    await this.#journal?.close();
  }

  async #launch(): Promise<Run> {
    await this.#checkpointing;
    const process = await startAnvil(this.#binary, this.#folder.stateFile);
    try {
      const link = await RpcLink.connect(process.socketPath);
      const head = await readHead(link);
      await this.#ensureJournal(head);
      const run: Run = { process, link, pool: new Map(), head, applied: 0, last: undefined };
      for (const raw of this.#open().header.waiting) {
        const outcome = await link.request('eth_sendRawTransaction', [raw]);
        if (outcome !== undefined && 'result' in outcome) run.pool.set(String(outcome.result), raw);
      }
      if (!(await this.#catchUp(run))) throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: await process.ended });
      this.#latest = run;
      link.closed.then(() => this.#lose(run));
      return run;
    } catch (error) {
      await process.kill();
      throw error;
    }
  }

  /** A new chain gets its first journal here, because its header names the genesis block that this engine makes. */
  async #ensureJournal(head: Head): Promise<void> {
    const start = { number: head.number, hash: head.hash };
    this.#journal ??= await this.#folder.create({ ...this.#header(), checkpoint: null, head: start, waiting: [] });
    const expected = this.#journal.header.head;
    if (expected.hash === head.hash) return;
    const reason = `it starts from block ${expected.number} ${expected.hash}, the engine has ${head.number} ${head.hash}${this.#versions()}`;
    throw corrupt(this.#journal.path, 1, reason);
  }

  /** Mines what the run has not mined yet. False: anvil went away. @throws DT_CHAIN_JOURNAL_CORRUPT, DT_CHAIN_ENGINE_FAILED */
  async #catchUp(run: Run): Promise<boolean> {
    const journal = this.#open();
    for (let record = journal.records[run.applied]; record !== undefined; record = journal.records[run.applied]) {
      if (record.parent !== run.head.hash) {
        const reason = `it follows block ${record.parent}, the replay gave ${run.head.hash}${this.#versions()}`;
        throw corrupt(journal.path, Journal.lineOf(run.applied), reason);
      }
      const mined = await mineRecord(run.link, record, run.head, run.pool);
      if (mined === undefined) return false;
      run.head = mined.head;
      run.last = mined;
      run.applied += 1;
    }
    return true;
  }

  async #writeCheckpoint(run: Run): Promise<void> {
    const dump = await run.link.must('anvil_dumpState');
    const pooled = parsePool(await run.link.must('txpool_content'));
    const state = await promisify(gunzip)(Buffer.from(String(dump).slice(2), 'hex'));
    // A dump that is not of this block must never replace the records that lead to it.
    const best = bestBlockOf(state);
    if (best !== run.head.number)
      throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `a dump of block ${best}, not ${run.head.number}` });
    for (const hash of [...run.pool.keys()]) if (!pooled.queued.includes(hash) && !pooled.ready.includes(hash)) run.pool.delete(hash);
    const { number, hash } = run.head;
    const old = this.#open();
    this.#journal = await this.#folder.rotate(state, { ...this.#header(), head: { number, hash }, waiting: [...run.pool.values()] });
    run.applied = 0;
    await old.close();
  }

  #lose(run: Run): void {
    if (this.#stopping || this.#latest !== run) return;
    this.#latest = undefined;
    this.#current = this.#relaunch(run);
    this.#current.catch((error: unknown) => this.#giveUp(toToolkitError(error)));
  }

  async #relaunch(run: Run): Promise<Run> {
    run.link.close();
    const reason = await run.process.kill();
    const now = Date.now();
    this.#restarts.push(now);
    if (this.#restarts.filter((at) => now - at < RESTART_WINDOW_MS).length > MAX_RESTARTS) {
      throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: `${MAX_RESTARTS + 1} times within a minute; the last time: ${reason}` });
    }
    this.#onLog(`anvil is gone (${reason}); replaying the journal on a new one`);
    return this.#launch();
  }

  #distrust(run: Run, error: unknown): false {
    this.#onLog(`anvil cannot go on (${toToolkitError(error).message})`);
    run.link.close();
    return false;
  }

  #open(): Journal {
    if (this.#journal === undefined) throw new ToolkitError('DT_CHAIN_ENGINE_FAILED', { reason: 'the journal is not open' });
    return this.#journal;
  }

  #header(): { format: 1; chainId: number; engine: string } {
    return { format: 1, chainId: EMBEDDED_CHAIN_ID, engine: this.#binary.version };
  }

  #versions(): string {
    const wrote = this.#journal?.header.engine;
    return wrote === undefined || wrote === this.#binary.version ? '' : ` (written by anvil ${wrote}, read by ${this.#binary.version})`;
  }
}

/** The dump can be large and is only stored: one field is looked up, nothing is parsed. */
function bestBlockOf(dump: Buffer): number | undefined {
  const at = dump.indexOf('"best_block_number"');
  const found = at < 0 ? null : /^"best_block_number":\s*"?(0x[0-9a-f]+|\d+)/.exec(dump.toString('latin1', at, at + 64));
  return found === null ? undefined : Number(found[1]);
}

function parsePool(value: unknown): { ready: readonly string[]; queued: readonly string[] } {
  const hashesOf = (senders: unknown) =>
    Object.values(objectOf(senders, 'the pool')).flatMap((nonces) =>
      Object.values(objectOf(nonces, 'a sender')).map((transaction) => hashOf(objectOf(transaction, 'a transaction')['hash'], 'hash')),
    );
  const content = objectOf(value, 'txpool_content');
  return { ready: hashesOf(content['pending']), queued: hashesOf(content['queued']) };
}
