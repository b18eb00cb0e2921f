import type { Address } from '../../documents/ids.js';
import type { JointSeat } from '../../documents/job/joint-group.js';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../../privacy/channel.js';
import { type ControlKind, type ControlMessage, encodeControl, parseControl, type Refusal, type SignedDecision } from './joint-wire.js';
import { type PeerWord, wordOf } from './peer-word.js';

/** The link with a peer broke, or its daemon was started again: nothing is wrong with the job, so its parties may meet again. */
export class PeerLost extends Error {
  constructor(readonly problem: ToolkitError) {
    super(problem.message);
  }
}

/** A peer said that it is over. `echo`: because of somebody else's end. `refusal`: which was this one, by its word. */
export class PeerEnded extends Error {
  constructor(
    readonly problem: ToolkitError,
    readonly echo: boolean,
    readonly refusal?: Refusal,
  ) {
    super(problem.message);
  }
}

/** How long a peer whose link is alive may say nothing. */
export interface Patience {
  /** For its word that its operator has ended well, from the start of the computation. */
  readonly doneMs: number;
  /** For anything else. */
  readonly answerMs: number;
}

/** Another party of a joint job, once its daemon has answered. */
export class JointPeer {
  /** The next message, read or awaited, that nobody has taken. */
  private ahead: Promise<ControlMessage> | undefined;
  /** Of the peer's next step, taken while this side was at the one before. */
  private early: readonly ControlMessage[] = [];
  private word: PeerWord | undefined;
  private isClosed = false;

  constructor(
    readonly seat: JointSeat,
    /** What the chain calls it, for people. */
    readonly name: string,
    private readonly control: Channel,
    private readonly patience: Patience,
    /** Hears how far the peer is, whenever that has changed. */
    private readonly onWord: (word: PeerWord) => void = () => undefined,
  ) {}

  get organization(): Address {
    return this.seat.organization;
  }

  /** Its decisions, once it has said hello. */
  decisions: readonly SignedDecision[] = [];

  async send(message: ControlMessage): Promise<void> {
    await this.control.send(encodeControl(message)).catch((error: unknown) => this.lost(error));
  }

  /** The next message, which must be one of these. @throws PeerLost, PeerEnded, DT_JOINT_PROTOCOL */
  async expect<Kind extends ControlKind>(...kinds: readonly Kind[]): Promise<Extract<ControlMessage, { kind: Kind }>> {
    const limitMs = (kinds as readonly ControlKind[]).includes('done') ? this.patience.doneMs : this.patience.answerMs;
    return this.expectWithin(limitMs, ...kinds);
  }

  /** The same with a patience of its own. */
  async expectWithin<Kind extends ControlKind>(
    limitMs: number,
    ...kinds: readonly Kind[]
  ): Promise<Extract<ControlMessage, { kind: Kind }>> {
    const [first, ...rest] = this.early;
    this.early = rest;
    const message = first ?? (await this.inTime(this.take(), kinds, limitMs));
    if ((kinds as readonly ControlKind[]).includes(message.kind)) return message as Extract<ControlMessage, { kind: Kind }>;
    if (message.kind === 'ended') throw this.endedBy(message);
    if (message.kind === 'agreed') throw this.again();
    throw new ToolkitError('DT_JOINT_PROTOCOL', {
      peer: this.name,
      reason: `it sent ${message.kind} in the place of ${kinds.join(' or ')}`,
    });
  }

  /** Resolves when its next message is there. @throws PeerLost, DT_JOINT_PROTOCOL */
  async untilSpeaks(): Promise<void> {
    await this.read();
  }

  /** The next message, whatever it is but an end, however long it takes. @throws PeerLost, PeerEnded, DT_JOINT_PROTOCOL */
  async next(): Promise<ControlMessage> {
    const message = await this.take();
    if (message.kind === 'ended') throw this.endedBy(message);
    return message;
  }

  /** Messages that were taken too early: they are expected next. */
  putBack(messages: readonly ControlMessage[]): void {
    this.early = [...messages, ...this.early];
  }

  /** In order: what was sent still arrives. */
  close(): void {
    this.isClosed = true;
    this.control.close().catch(() => undefined);
  }

  private async take(): Promise<ControlMessage> {
    const message = await this.read();
    this.ahead = undefined;
    return message;
  }

  private read(): Promise<ControlMessage> {
    this.ahead ??= this.control.receive().then(
      (bytes) => {
        const message = parseControl(bytes, this.name);
        this.tell(wordOf(message));
        return message;
      },
      (error: unknown) => this.lost(error),
    );
    return this.ahead;
  }

  /** A daemon that lives and says nothing would otherwise be waited for as long as its link holds. */
  private async inTime<T>(word: Promise<T>, kinds: readonly ControlKind[], limitMs: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          const reason = `it did not say ${kinds.join(' or ')} within ${limitMs / 1000} s`;
          this.tell('lost');
          this.control.abort(reason);
          reject(new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: this.name, reason })));
        },
        Math.min(limitMs, 0x7fffffff),
      );
    });
    try {
      return await Promise.race([word, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private endedBy({ code, message, echo, refusal }: Extract<ControlMessage, { kind: 'ended' }>): PeerEnded {
    return new PeerEnded(new ToolkitError('DT_JOINT_PEER_FAILED', { peer: this.name, reason: message, cause: code }), echo, refusal);
  }

  /** A third party was lost after this side had begun: the others agree afresh. */
  private again(): PeerLost {
    return new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: this.name, reason: 'it agrees on another execution' }));
  }

  private tell(word: PeerWord | undefined): void {
    // Who is over, or was let go, is not lost any more.
    if (word === undefined || word === this.word || (word === 'lost' && (this.isClosed || this.word === 'ended'))) return;
    this.word = word;
    this.onWord(word);
  }

  private lost(error: unknown): never {
    this.tell('lost');
    const problem = toToolkitError(error);
    throw new PeerLost(new ToolkitError('DT_JOINT_PEER_LOST', { peer: this.name, reason: problem.message }, problem));
  }
}
