import type { Duplex } from 'node:stream';
import type { LinkTraffic } from '../../documents/receipt/receipt.js';
import { type ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { Channel } from '../../privacy/channel.js';
import { streamChannel } from '../../privacy/stream-channel.js';

/**
 * Carries messages between the operator in the sandbox and one peer's daemon, and counts them where the operator cannot lie about
 * them. What ends one side ends the other, with its reason. Holds one message each way; the rest waits with its sender.
 */
export class ChannelPump {
  private readonly local: Channel;
  private localIsGone = false;
  private receivedMessages = 0;
  private wake: (() => void) | undefined;
  /** Resolves when the operator has closed its end and all that it wrote has been handed to the link. */
  readonly operatorEnded: Promise<void>;
  private readonly inbound: Promise<void>;
  /** Why the peer's side ended, if it did before this side closed it. */
  peerProblem: ToolkitError | undefined;
  private operatorReason: string | undefined;

  constructor(
    private readonly operator: Duplex,
    private readonly link: Channel,
    private readonly options: {
      readonly stallMs: number;
      /** Called once, for whichever end breaks off first. */
      readonly onBreak: (who: 'own' | 'peer', reason?: string) => void;
    },
  ) {
    this.local = streamChannel(operator, { peer: 'the operator', stallMs: options.stallMs });
    this.operatorEnded = this.carryOut();
    this.inbound = this.carryIn();
  }

  get sent(): LinkTraffic {
    const { bytesSent, messagesSent } = this.link.counters;
    return { bytes: bytesSent, messages: messagesSent, sha256: this.link.transcript()?.sent ?? '' };
  }

  get received(): LinkTraffic {
    const { bytesReceived, messagesReceived } = this.link.counters;
    return { bytes: bytesReceived, messages: messagesReceived, sha256: this.link.transcript()?.received ?? '' };
  }

  /** Resolves when so many messages have come from the peer. @throws what ended the link before */
  async untilReceived(messages: number): Promise<void> {
    while (this.receivedMessages < messages) {
      if (this.peerProblem !== undefined) throw this.peerProblem;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** The peer is done and all of its messages have been handed on: the operator need not wait for more. */
  endInput(): void {
    if (!this.operator.writableEnded) this.operator.end();
  }

  /** In order, at the end of a computation. */
  async close(): Promise<void> {
    await this.link.close();
    await this.inbound;
    this.operator.destroy();
  }

  abort(reason: string): void {
    this.link.abort(reason);
    this.local.abort(reason);
  }

  private async carryOut(): Promise<void> {
    for (;;) {
      let message: Uint8Array;
      try {
        message = await this.local.receive();
      } catch (error) {
        this.onOperatorEnd(toToolkitError(error));
        return;
      }
      try {
        await this.link.send(message);
      } catch (error) {
        this.onPeerEnd(toToolkitError(error));
        return;
      }
    }
  }

  private onOperatorEnd(error: ToolkitError): void {
    this.localIsGone = true;
    const midMessage = error.code === 'DT_PEER_GONE' && String(error.details['reason']).includes('middle of a message');
    if (error.code === 'DT_PEER_GONE' && !midMessage) {
      // It has all it wants: its own end waits for this one.
      this.endInput();
      return;
    }
    if (this.peerProblem === undefined) {
      this.operatorReason = String(error.details['reason'] ?? error.message);
      this.options.onBreak('own', this.operatorReason);
    }
    this.link.abort(this.operatorReason ?? error.message);
  }

  private async carryIn(): Promise<void> {
    for (;;) {
      let message: Uint8Array;
      try {
        message = await this.link.receive();
      } catch (error) {
        this.onPeerEnd(toToolkitError(error));
        return;
      }
      if (!this.localIsGone) {
        await this.local.send(message).catch(() => {
          this.localIsGone = true;
        });
      }
      this.receivedMessages += 1;
      this.wake?.();
    }
  }

  private onPeerEnd(error: ToolkitError): void {
    if (this.peerProblem === undefined) {
      this.peerProblem = error;
      if (this.operatorReason === undefined) this.options.onBreak('peer');
      this.local.abort(error.code === 'DT_PEER_ABORTED' ? String(error.details['reason']) : error.message);
    }
    this.wake?.();
  }
}
