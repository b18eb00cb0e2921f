import { type ErrorCode, errorTable } from './codes.js';

export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error class of the toolkit: a code of the table, its message with the offending values, and what to do next.
 * Details are shown to users and sent over HTTP, so they hold identifiers and limits, never secrets or rows.
 */
export class ToolkitError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(fill(errorTable[code].message, details), cause === undefined ? undefined : { cause });
    this.name = 'ToolkitError';
    this.code = code;
    this.details = details;
    this.hint = fill(errorTable[code].hint, details);
  }

  get exitCode(): number {
    return errorTable[this.code].exit;
  }

  get httpStatus(): number {
    return errorTable[this.code].http;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  /** Safe to stringify: ids that are bigint become decimal strings. */
  toJSON(): Readonly<Record<string, unknown>> {
    const details: unknown = JSON.parse(stringify(this.details));
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable, details };
  }
}

/** Anything thrown becomes a ToolkitError; what is not one of ours is a bug of ours and says so. */
export function toToolkitError(thrown: unknown): ToolkitError {
  if (thrown instanceof ToolkitError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ToolkitError('DT_BUG_UNEXPECTED', { reason }, thrown);
}

/** Replaces {name} by details.name; a value that is missing stays visible as {name}, so that a test finds it. */
function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const value = Object.hasOwn(details, key) ? details[key] : undefined;
    if (value === undefined) return whole;
    return typeof value === 'string' || typeof value === 'bigint' ? `${value}` : stringify(value);
  });
}

const stringify = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner)) ?? String(value);
