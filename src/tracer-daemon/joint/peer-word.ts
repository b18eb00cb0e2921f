import type { ControlMessage } from './joint-wire.js';

/** How far a peer says that it is, as this side has heard it on their link; `lost`: nothing more is heard of it. */
export type PeerWord = 'waiting' | 'allowed' | 'refused' | 'agreed' | 'computed' | 'confirmed' | 'ended' | 'lost';

/** What a message tells people about who sent it. undefined: nothing. */
export function wordOf(message: ControlMessage): PeerWord | undefined {
  switch (message.kind) {
    case 'hello':
      return message.committed ? 'confirmed' : 'allowed';
    case 'done':
      return 'computed';
    case 'offer':
    case 'path':
      return undefined;
    default:
      return message.kind;
  }
}
