import { ToolkitError } from '../../errors/toolkit-error.js';

/**
 * How the text of an id column is brought to one form before it is compared; both sides agree on it or nothing is sent.
 * - trim: Unicode white space at both ends goes, runs of it inside become one space; Unicode NFC
 * - fold: trim, then letters that differ in case only become equal (NFKC is not applied: full-width letters stay different)
 * - mail: fold; exactly one @ with something on both sides (whole address in lower case, no rules of single providers)
 * - phone or phone:49: digits only, with + for an international number; 00 at the start is +; with a country code, a number
 *   without + has its one leading 0 replaced by it
 */
export type IdRule = 'none' | 'trim' | 'fold' | 'mail' | 'phone' | `phone:${number}`;

export type NormalizeId = (text: string) => string;

/** The function of a rule, or undefined for `none`. It throws IdError for text that cannot be brought to the form. */
export function normalizerOf(rule: string): NormalizeId | undefined {
  if (rule === 'none') return undefined;
  if (rule === 'trim') return trimmed;
  if (rule === 'fold') return folded;
  if (rule === 'mail') return mailForm;
  const phone = /^phone(?::([1-9][0-9]{0,2}))?$/.exec(rule);
  if (phone !== null) return (text) => phoneForm(text, phone[1]);
  throw new ToolkitError('DT_INPUT_INVALID', {
    what: 'The normalization of an id column',
    reason: `"${rule.slice(0, 40)}" is none of none, trim, fold, mail, phone, phone:<country code>`,
  });
}

/** Why one value cannot be an id; the caller knows its row. */
export class IdError extends Error {}

const trimmed = (text: string): string => text.normalize('NFC').trim().replace(/\s+/gu, ' ');

// Upper case first: it joins letters such as final and medial sigma, which lower case alone keeps apart.
const folded = (text: string): string => trimmed(text).toUpperCase().toLowerCase().normalize('NFC');

function mailForm(text: string): string {
  const mail = folded(text);
  if (!/^[^@\s]+@[^@\s]+$/u.test(mail)) throw new IdError('is no mail address');
  return mail;
}

function phoneForm(text: string, country: string | undefined): string {
  const bare = text.normalize('NFKC').replace(/[\s().\-/\u2010-\u2015]/gu, '');
  const international = bare.replace(/^00/, '+');
  if (!/^\+?[0-9]{3,15}$/.test(international)) throw new IdError('is no phone number');
  if (country === undefined || international.startsWith('+')) return international;
  return `+${country}${international.replace(/^0/, '')}`;
}
