import { join } from 'node:path';
import type { Address } from '../../src/documents/ids.js';
import { jointSession } from '../../src/documents/job/joint-group.js';
import { DaemonClient } from '../../src/peers/daemon-client.js';
import { type LinkHub, openLinkHub } from '../../src/peers/link/link-hub.js';
import { openLinkKey } from '../../src/peers/link/link-key.js';
import type { Channel } from '../../src/privacy/channel.js';
import { type ControlKind, type ControlMessage, encodeControl, parseControl } from '../../src/tracer-daemon/joint/joint-wire.js';
import { signDecision } from '../../src/tracer-daemon/joint/sign-decision.js';
import type { PartedJob } from './joint-parts.js';
import type { BankProcess, BankRole, Role } from './world.js';

type Hello = Extract<ControlMessage, { kind: 'hello' }>;
export const NONCE = 'ab'.repeat(32);

/** Stands in for an organization's daemon, with its link key and its wallet, and says whatever a test wants. It can only call. */
export class ScriptedPeer {
  private constructor(
    readonly self: Role,
    readonly hub: LinkHub,
  ) {}

  static async open(self: Role, others: readonly (BankRole | BankProcess)[]): Promise<ScriptedPeer> {
    const { ledger } = self.context;
    const organization = async (address: Address) => (await ledger.operatorsAndOrganizations([], [address])).organizations[0];
    const hub = await openLinkHub({
      address: self.address,
      key: await openLinkKey(join(self.folder, 'link.key')),
      linkKeyOf: async (address) => (await organization(address))?.linkKey,
      endpointOf: async (address) => {
        const other = others.find((role) => role.address === address);
        const url = other && (await organization(address))?.url;
        if (other === undefined || url === undefined) return undefined;
        const { link } = await new DaemonClient({ url: new URL(url), domain: ledger.ref, organization: address }).identity();
        return link && { host: '127.0.0.1', port: link.port };
      },
    });
    return new ScriptedPeer(self, hub);
  }

  /** The control channel of a job's joint computation with one peer. */
  async control(peer: Address, job: PartedJob, timeoutMs = 20_000): Promise<Talk> {
    const session = sessionOf(job);
    const channel = await this.hub.channel(peer, session, 'control', { timeoutMs, stallMs: 60_000, transcript: false });
    return new Talk(this, peer, job, session, channel);
  }

  close(): Promise<void> {
    return this.hub.stop();
  }
}

export function sessionOf({ resolved: { spec, specDigest } }: PartedJob): string {
  const [group] = spec.joint ?? [];
  if (group === undefined) throw new Error('the job is not joint');
  return jointSession(spec.job, specDigest, group);
}

/** One conversation of a scripted peer. */
export class Talk {
  constructor(
    readonly by: ScriptedPeer,
    readonly peer: Address,
    readonly job: PartedJob,
    readonly session: string,
    readonly channel: Channel,
  ) {}

  say(message: ControlMessage | Uint8Array | object): Promise<void> {
    if (message instanceof Uint8Array) return this.channel.send(message);
    return this.channel.send(encodeControl(message as ControlMessage));
  }

  async hear<Kind extends ControlKind>(kind: Kind): Promise<Extract<ControlMessage, { kind: Kind }>> {
    const message = parseControl(await this.channel.receive(), 'the honest side');
    if (message.kind !== kind) throw new Error(`heard ${JSON.stringify(message)} in the place of ${kind}`);
    return message as Extract<ControlMessage, { kind: Kind }>;
  }

  /** What the organization's own daemon would say. */
  async hello(changes: Partial<Omit<Hello, 'decisions'>> = {}): Promise<Hello> {
    const { resolved, job, parts } = this.job;
    const token = parts.b1.party.token;
    const deps = { domain: this.by.self.context.ledger.ref, signer: this.by.self.wallet };
    const made = { token, decision: resolved.specDigest, allowed: true };
    const decision = await signDecision(deps, { job, spec: resolved.specDigest }, made);
    return { kind: 'hello', version: 1, nonce: NONCE, committed: false, decisions: [decision], ...changes };
  }

  /** Up to the agreement, as an honest daemon does; the connections between operators are declined. @returns the execution */
  async agree(changes: Partial<Omit<Hello, 'decisions'>> = {}): Promise<string> {
    await this.say(await this.hello(changes));
    await this.hear('hello');
    const { execution } = await this.hear('agreed');
    await this.say({ kind: 'agreed', execution });
    await this.say({ kind: 'offer' });
    await this.hear('offer');
    return execution;
  }

  /** The part of the operator with the modes: `rounds` messages of `bytes` both ways. */
  async compute(execution: string, rounds: number, bytes: number): Promise<Channel> {
    const data = await this.by.hub.channel(this.peer, this.session, `data.${execution.slice(0, 32)}`, { timeoutMs: 20_000 });
    for (let round = 0; round < rounds; round += 1) {
      await data.send(new Uint8Array(bytes).fill(round));
      await data.receive();
    }
    return data;
  }
}

/** What was sent, as an honest daemon says it. */
export function sentOn(data: Channel): Extract<ControlMessage, { kind: 'done' }>['sent'] {
  const { bytesSent: bytes, messagesSent: messages } = data.counters;
  return { bytes, messages, sha256: data.transcript()?.sent ?? '' };
}
