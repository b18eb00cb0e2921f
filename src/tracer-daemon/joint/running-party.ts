import type { LinkTraffic } from '../../documents/receipt/receipt.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';
import type { ChannelPump } from './channel-pump.js';
import { type OperatorAccount, trafficOf } from './operator-account.js';
import { pending } from './pending.js';

/** What crossed one link, as this end counted it. */
export interface Traffic {
  readonly sent: LinkTraffic;
  readonly received: LinkTraffic;
}

/** What is known of this side's operator while it runs. */
export class RunningParty {
  /** Of the peers that are reached over the daemons, by seat. */
  pumps: ReadonlyMap<string, ChannelPump> = new Map();
  /** Of those that the operator reaches itself. */
  account: OperatorAccount | undefined;
  exit: SandboxExit | undefined;
  /** Whose end of a channel was broken off first. */
  blame: 'own' | 'peer' | undefined;
  /** What the operator said when it gave up by itself. */
  reason: string | undefined;
  /** What it said when it had lost a connection of its own. */
  lostPeer: string | undefined;
  private readonly accounted = pending<ReadonlyMap<string, Traffic>>();

  /** What has crossed each link in both directions, once the operator has ended well. */
  async traffic(): Promise<ReadonlyMap<string, Traffic>> {
    await Promise.all([...this.pumps.values()].map((pump) => pump.operatorEnded));
    const direct = this.account === undefined ? {} : await trafficOf(this.account);
    const relayed = [...this.pumps].map(([seat, { sent, received }]) => [seat, { sent, received }] as const);
    const all = new Map<string, Traffic>([...Object.entries(direct), ...relayed]);
    this.accounted.resolve(all);
    return all;
  }

  /** What has come from a peer on a connection of its own, once this side's operator has ended; it waits as long as that takes. */
  async receivedDirectly(seat: string): Promise<LinkTraffic | undefined> {
    return (await this.accounted.promise).get(seat)?.received;
  }

  /** An operator with connections of its own says itself who broke off. */
  async hearAccount(): Promise<void> {
    const account = await this.account?.said;
    if (account?.kind !== 'failure') return;
    this.blame ??= account.echo ? 'peer' : 'own';
    if (account.echo) this.lostPeer = account.reason;
    else this.reason ??= account.reason;
  }
}
