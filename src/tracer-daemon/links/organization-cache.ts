import type { Address } from '../../documents/ids.js';
import type { LedgerReader, Organization } from '../../ledger/ledger.js';

/** Upper bound for what events have not told: a watch that lags, or a chain without one. */
const FRESH_MS = 5_000;
const MOST = 1_024;

interface Entry {
  readonly record: Promise<Organization | undefined>;
  readonly until: number;
}

/** Organizations as the chain has them, one round trip each, kept for seconds or until the chain tells of a change. */
export class OrganizationCache {
  private readonly entries = new Map<Address, Entry>();

  constructor(
    private readonly ledger: Pick<LedgerReader, 'operatorsAndOrganizations'>,
    private readonly now: () => number,
  ) {}

  /** @throws DT_CHAIN_UNREACHABLE */
  get(address: Address): Promise<Organization | undefined> {
    const found = this.entries.get(address);
    if (found !== undefined && found.until > this.now()) return found.record;
    const record = this.ledger.operatorsAndOrganizations([], [address]).then(({ organizations }) => organizations[0]);
    const entry = { record, until: this.now() + FRESH_MS };
    // The oldest goes first.
    this.entries.delete(address);
    for (const [oldest] of this.entries) {
      if (this.entries.size < MOST) break;
      this.entries.delete(oldest);
    }
    this.entries.set(address, entry);
    record.catch(() => {
      if (this.entries.get(address) === entry) this.entries.delete(address);
    });
    return record;
  }

  forget(address: Address): void {
    this.entries.delete(address);
  }

  clear(): void {
    this.entries.clear();
  }
}
