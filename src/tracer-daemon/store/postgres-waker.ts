import pg from 'pg';
import { decodeSignal, LocalWaker, type WakeListener, type Waker } from './waker.js';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

/**
 * LISTEN on a connection of its own. NOTIFY is sent inside the transaction that makes the change (see StoreSession), so PostgreSQL
 * delivers it exactly when the change is visible, to every process including the sender.
 */
export class PostgresWaker implements Waker {
  readonly #local = new LocalWaker();
  readonly #config: pg.ClientConfig;
  readonly #channel: string;
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(config: pg.ClientConfig, channel: string) {
    this.#config = config;
    this.#channel = channel;
  }

  static async open(config: pg.ClientConfig, channel: string): Promise<PostgresWaker> {
    const waker = new PostgresWaker(config, channel);
    await waker.#connect();
    return waker;
  }

  subscribe(listener: WakeListener): () => void {
    return this.#local.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ ...this.#config, keepAlive: true, keepAliveInitialDelayMillis: 10_000 });
    let listening = false;
    const onLost = (): void => {
      if (!listening || this.#closed) return;
      listening = false;
      this.#client = undefined;
      this.#reconnectAfter(FIRST_RETRY_MS);
    };
    client.on('error', onLost);
    client.on('end', onLost);
    client.on('notification', ({ payload }) => {
      const signal = decodeSignal(payload ?? '');
      if (signal !== undefined) this.#local.emit(signal);
    });
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    listening = true;
    if (this.#closed) await client.end();
  }

  #reconnectAfter(delayMs: number): void {
    this.#retry = setTimeout(() => {
      this.#connect().then(
        () => this.#local.emit({ kind: 'resync' }),
        () => {
          if (!this.#closed) this.#reconnectAfter(Math.min(delayMs * 2, LONGEST_RETRY_MS));
        },
      );
    }, delayMs);
    this.#retry.unref();
  }
}
