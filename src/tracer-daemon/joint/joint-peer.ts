import type { Address } from '../../documents/ids.js';
import type { JointSeat } from '../../documents/job/joint-group.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../../privacy/channel.js';
import { type ControlKind, type ControlMessage, encodeControl, parseControl, type SignedDecision } from './joint-wire.js';

/** The link with a peer broke, or its daemon was started again: nothing is wrong with the job, so its parties may meet again. */
export class PeerLost extends Error {
  constructor(readonly problem: ToolkitError) {
    super(problem.message);
  }
}

/** A peer said that it is over. `echo`: because of somebody else's end. */
export class PeerEnded extends Error {
  constructor(
    readonly problem: ToolkitError,
    readonly echo: boolean,
  ) {
    super(problem.message);
  }
}

/** Another party of a joint job, once its daemon has answered. */
export class JointPeer {
  constructor(
    readonly seat: JointSeat,
    /** What the chain calls it, for people. */
    readonly name: string,
    private readonly control: Channel,
  ) {}

  get organization(): Address {
    return this.seat.organization;
  }

  /** Its decisions, once it has said hello. */
  decisions: readonly SignedDecision[] = [];

  async send(message: ControlMessage): Promise<void> {
    await this.control.send(encodeControl(message)).catch((error: unknown) => this.lost(error));
  }

  /** The next message, which must be one of these. @throws PeerLost, PeerEnded, DT_JOINT_REFUSED, DT_JOINT_PROTOCOL */
  async expect<Kind extends ControlKind>(...kinds: readonly Kind[]): Promise<Extract<ControlMessage, { kind: Kind }>> {
    const bytes = await this.control.receive().catch((error: unknown) => this.lost(error));
    const message = parseControl(bytes, this.name);
    if ((kinds as readonly ControlKind[]).includes(message.kind)) return message as Extract<ControlMessage, { kind: Kind }>;
    if (message.kind === 'ended')
      throw new PeerEnded(
        new ToolkitError('DT_JOINT_PEER_FAILED', { peer: this.name, reason: message.message, cause: message.code }),
        message.echo,
      );
    throw new ToolkitError('DT_JOINT_PROTOCOL', {
      peer: this.name,
      reason: `it sent ${message.kind} in the place of ${kinds.join(' or ')}`,
    });
  }

  /** In order: what was sent still arrives. */
  close(): void {
    this.control.close().catch(() => undefined);
  }

  private lost(error: unknown): never {
    const problem = toToolkitError(error);
    throw new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: this.name, reason: problem.message }, problem));
  }
}
