import type { LinkStreams } from '../key-agreement.js';
import type { MessageLink } from '../message-link.js';
import type { RandomSource } from '../random-source.js';
import type { PhaseClock } from './phase-clock.js';
import type { PsiMemory } from './psi-memory.js';

/** What the protocols of a private set intersection work with, once the two sides have agreed on the terms. */
export interface PsiSession {
  readonly link: MessageLink;
  readonly memory: PsiMemory;
  /** Public coins of the run: fresh for it, the same at both ends, unknown to anyone else. */
  readonly streams: LinkStreams;
  readonly random: RandomSource;
  readonly clock: PhaseClock;
}

/** Lets messages be read and written between two pieces of computation. */
export const yieldToLink = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
