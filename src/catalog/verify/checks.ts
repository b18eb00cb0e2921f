import type { ToolkitError } from '../../errors/toolkit-error.js';

/** What is looked at, in the order in which it is: the first that fails is the first that is named. */
export const checkNames = [
  'receipt',
  'form',
  'party',
  'signature',
  'chain',
  'job',
  'path',
  'owner',
  'request',
  'spec',
  'documents',
  'decision',
  'clauses',
  'outcome',
  'operator',
  'arguments',
  'input',
  'sandbox',
  'terms',
  'folder',
  'outputs',
  'report',
  'anchor',
  'times',
  'execution',
  'peers',
  'link',
] as const;
export type CheckName = (typeof checkNames)[number];

/** One thing that was compared. */
export interface Check {
  readonly party: string;
  readonly name: CheckName;
  /** A file of the evidence with the pointer into it, or a file of the job folder. */
  readonly at: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly expected?: string;
  readonly found?: string;
  /** Why it was skipped: what it takes. */
  readonly needs?: string;
}

/** The checks of one party, collected. A failed one stops nothing. */
export class Checks {
  readonly list: Check[] = [];

  constructor(readonly party: string) {}

  same(name: CheckName, at: string, expected: string | undefined, found: string | undefined): boolean {
    return this.holds(name, at, expected === found, expected ?? 'none', found ?? 'none');
  }

  holds(name: CheckName, at: string, holds: boolean, expected: string, found: string): boolean {
    const { party } = this;
    this.list.push(holds ? { party, name, at, state: 'passed' } : { party, name, at, state: 'failed', expected, found: shown(found) });
    return holds;
  }

  skip(name: CheckName, at: string, needs: string): void {
    this.list.push({ party: this.party, name, at, state: 'skipped', needs });
  }

  /** Undefined, with a failed check, where it throws. */
  attempt<T>(name: CheckName, at: string, expected: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.holds(name, at, false, expected, (error as ToolkitError).message);
      return undefined;
    }
  }
}

/** What was found may be anyone's text, of any length. */
const shown = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 300);
