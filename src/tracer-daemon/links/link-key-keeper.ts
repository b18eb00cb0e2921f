import type { Logger } from 'pino';
import type { Address, Bytes32 } from '../../documents/ids.js';
import { toToolkitError } from '../../errors/toolkit-error.js';
import type { Ledger } from '../../ledger/ledger.js';

/**
 * Whether peers accept this daemon's link key. `unknown`: the chain has not answered yet. `unregistered`: the chain does not know the
 * organization. `differs`: somebody has put another key there since.
 */
export type LinkKeyState = 'unknown' | 'unregistered' | 'published' | 'differs';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;

/**
 * Brings the public half of this daemon's link key on chain. At its start the daemon's key wins, so that a key is changed by changing the
 * file; afterwards only an empty place is filled, so that two daemons with different keys do not overwrite each other for ever.
 */
export class LinkKeyKeeper {
  #state: LinkKeyState = 'unknown';
  /** Until its key has been there once. */
  private isStarting = true;
  private isWorking = false;
  private isDue = false;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private isStopped = false;

  constructor(
    private readonly options: {
      readonly ledger: Pick<Ledger, 'operatorsAndOrganizations' | 'updateEndpoint'>;
      readonly organization: Address;
      readonly key: Bytes32;
      readonly log: Logger;
    },
  ) {}

  get state(): LinkKeyState {
    return this.#state;
  }

  /** At start, and whenever the chain tells of a change of this organization. What comes while it works is looked at once, after it. */
  check(): void {
    this.isDue = true;
    if (!this.isWorking) void this.work();
  }

  /** What is under way is not waited for: it ends with the ledger. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.retry);
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    while (this.isDue && !this.isStopped) {
      this.isDue = false;
      clearTimeout(this.retry);
      try {
        await this.compare();
        this.retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (!this.isStopped) this.onFailure(error);
      }
    }
    this.isWorking = false;
  }

  private async compare(): Promise<void> {
    const { ledger, organization, key, log } = this.options;
    const record = (await ledger.operatorsAndOrganizations([], [organization])).organizations[0];
    if (record === undefined) {
      this.#state = 'unregistered';
      log.warn(
        { organization },
        'the chain does not know this organization: its administrator registers it (dt system org --address … --name … --url …); ' +
          'the link key is published then',
      );
      return;
    }
    if (record.linkKey !== key) {
      const isEmpty = /^0x0+$/.test(record.linkKey);
      if (!isEmpty && !this.isStarting) {
        this.#state = 'differs';
        log.error(
          { onChain: record.linkKey, own: key },
          'the chain holds another link key than this daemon: its peers refuse it. Daemons of one organization share one key file ' +
            '(link.keyFile); a restart publishes the key of this one',
        );
        return;
      }
      await ledger.updateEndpoint(record.url, key);
      log.info({ key, before: isEmpty ? 'none' : record.linkKey }, 'the link key was published on chain');
    }
    if (record.url === '') {
      log.warn({ organization }, 'the chain holds no URL of this daemon, so nobody can call it: dt system org --address … --url …');
    }
    this.isStarting = false;
    this.#state = 'published';
  }

  private onFailure(thrown: unknown): void {
    const { log } = this.options;
    const error = toToolkitError(thrown);
    if (!error.retryable) {
      log.error({ problem: error.message, hint: error.hint }, 'the link key could not be published: joint computations will fail');
      return;
    }
    log.warn({ problem: error.message }, 'the link key could not be compared with the chain; it is tried again');
    this.retry = setTimeout(() => this.check(), this.retryMs);
    this.retry.unref();
    this.retryMs = Math.min(LAST_RETRY_MS, this.retryMs * 2);
  }
}
