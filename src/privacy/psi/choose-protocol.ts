import { ToolkitError } from '../../errors/toolkit-error.js';

export const psiProtocols = ['kkrt', 'ecdh'] as const;
export type PsiProtocol = (typeof psiProtocols)[number];

export interface ProtocolChoice {
  readonly protocol: PsiProtocol;
  /** For people: why this one. */
  readonly reason: string;
}

// Milliseconds measured on one 2-core machine. They only decide where the two curves cross, at some hundred ids.
const kkrtFixedMs = 110;
const kkrtReceiverItemMs = 0.0007;
const kkrtSenderItemMs = 0.0006;
const ecdhOwnItemMs = 0.43;
const ecdhPeerItemMs = 0.12;
/** Of a count to a set of rows by kkrt. */
const countFactor = 2;

/** Both sides compute it from what both know, so they choose alike. Sizes are the declared ones. */
export function choosePsiProtocol(request: {
  readonly receiverCount: number;
  readonly senderCount: number;
  readonly countOnly: boolean;
  /** Whether a third party deals for a count. */
  readonly dealer: boolean;
  readonly demanded: PsiProtocol | 'auto';
}): ProtocolChoice {
  const { receiverCount, senderCount, countOnly, dealer, demanded } = request;
  if (countOnly && demanded === 'kkrt' && !dealer) {
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'The protocol of the join',
      reason: 'kkrt shows one side which ids are common; for the number alone it needs a third party that deals, else take ecdh',
    });
  }
  if (demanded !== 'auto') return { protocol: demanded, reason: 'demanded by the job' };
  if (countOnly && !dealer)
    return { protocol: 'ecdh', reason: 'without a third party only ecdh counts and does not show which are common' };
  const items = receiverCount * kkrtReceiverItemMs + senderCount * kkrtSenderItemMs;
  const kkrt = kkrtFixedMs + items * (countOnly ? countFactor : 1);
  const [small, large] = [Math.min(receiverCount, senderCount), Math.max(receiverCount, senderCount)];
  const ecdh = large * ecdhOwnItemMs + small * ecdhPeerItemMs;
  const sizes = `${receiverCount} and ${senderCount} ids`;
  return ecdh < kkrt
    ? { protocol: 'ecdh', reason: `${sizes}: about ${Math.ceil(ecdh)} ms against ${Math.ceil(kkrt)} ms with kkrt` }
    : { protocol: 'kkrt', reason: `${sizes}: about ${Math.ceil(kkrt)} ms against ${Math.ceil(ecdh)} ms with ecdh` };
}
