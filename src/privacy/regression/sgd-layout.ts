import { messageHeaderBytes } from '../message-link.js';
import type { SgdOptions } from './sgd-options.js';
import { isEvaluated } from './sine-options.js';

/**
 * Where the words of one step lie, in words. A bank's draw is what it and the dealer take from their common stream:
 * masks of the logits (batch), its share of the trigonometric values (batch x terms), masks of the residuals (batch), and for
 * the other bank's columns a pad and the next weight mask. The dealer's material is the bank's other half of those values
 * (batch x terms) and the correction of its own weights.
 */
export interface StepLayout {
  readonly batch: number;
  readonly trigWords: number;
  readonly ownColumns: number;
  readonly otherColumns: number;
  readonly draw: {
    readonly logitMask: number;
    readonly trig: number;
    readonly residualMask: number;
    readonly pad: number;
    readonly weightMask: number;
    readonly words: number;
  };
  readonly material: { readonly trig: number; readonly weights: number; readonly words: number };
  /** Steps whose material travels in one message: enough to make a write worth its cost. */
  readonly stepsPerMessage: number;
}

const wantedMessageBytes = 64 * 1024;

export function stepLayout(batch: number, terms: number, ownColumns: number, otherColumns: number): StepLayout {
  const trigWords = batch * terms;
  const words = trigWords + ownColumns;
  return {
    batch,
    trigWords,
    ownColumns,
    otherColumns,
    draw: {
      logitMask: 0,
      trig: batch,
      residualMask: batch + trigWords,
      pad: 2 * batch + trigWords,
      weightMask: 2 * batch + trigWords + otherColumns,
      words: 2 * (batch + otherColumns) + trigWords,
    },
    material: { trig: 0, weights: trigWords, words },
    // The same number on every link, so that the dealer's two messages cover the same steps.
    stepsPerMessage: Math.max(1, Math.floor(wantedMessageBytes / ((trigWords + ownColumns + otherColumns) * 8))),
  };
}

/**
 * Steps in the material message that starts at `step`. It ends with a step after which the held-out rows are scored, so that the
 * dealer's messages keep the order in which the banks need them.
 */
export function stepsInMessage(layout: StepLayout, options: SgdOptions, step: number): number {
  let count = 1;
  while (count < layout.stepsPerMessage && !isEvaluated(options, step + count - 1)) count += 1;
  return count;
}

/** First training row of each batch: batches are taken in order, round and round. */
export function batchStart(step: number, batch: number, trainRows: number): number {
  return (step * batch) % trainRows;
}

export const headerWords = messageHeaderBytes / 8;
