import { digestOf } from '../canonical.js';
import type { Bytes32 } from '../ids.js';
import type { JobStep } from '../job/job-spec.js';
import type { Receipt } from './receipt.js';

/**
 * What an owner's approval of a request is about: code, arguments, data and all else that decides. One changed byte makes another. The data
 * stands in it by the commitment of this run (`input`), so that who reads the receipt can make the subject again and guess no data by it.
 */
export const approvalSubject = (spec: Bytes32, { token, operator, arguments: given }: JobStep, input: Bytes32): Bytes32 =>
  digestOf({ kind: 'approval', spec, token, operator: operator.digest, arguments: given, input });

/** What an owner's approval of held outputs is about: these files, by this request. All of it stands in the receipt. */
export const holdSubject = ({ request, spec, token, outputs }: Pick<Receipt, 'request' | 'spec' | 'token' | 'outputs'>): Bytes32 =>
  digestOf({ kind: 'hold', request, spec, token, outputs });
