import { ToolkitError } from '../errors/toolkit-error.js';

/**
 * The end of a grant as people say it: a number of days (`30`, `30d`), a date (`2027-01-31`: to the end of that day, UTC) or a time in
 * ISO 8601. Left out, `0` or `never`: without an end.
 * @returns seconds since 1970, 0 for never
 * @throws DT_INPUT_INVALID
 */
export function parseUntil(text: string | undefined, now: Date): number {
  if (text === undefined || ['', '0', 'never'].includes(text)) return 0;
  const days = /^([1-9][0-9]{0,4})d?$/.exec(text)?.[1];
  if (days !== undefined) return Math.floor(now.getTime() / 1000) + Number(days) * 86_400;
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  // Without a zone the time would be that of whichever machine reads it.
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const ms = isDate ? Date.parse(`${text}T23:59:59Z`) : isTime ? Date.parse(text) : Number.NaN;
  const real = isDate && !Number.isNaN(ms) ? new Date(ms).toISOString().startsWith(text) : true;
  if (Number.isNaN(ms) || !real)
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: '--until',
      reason: `expected a number of days, a date such as 2027-01-31 or an ISO 8601 time with a zone, got ${JSON.stringify(text.slice(0, 40))}`,
    });
  if (ms <= now.getTime()) throw new ToolkitError('DT_INPUT_INVALID', { what: '--until', reason: `${text} is in the past` });
  return Math.floor(ms / 1000);
}
