import { ToolkitError } from '../../errors/toolkit-error.js';

/**
 * Arguments of a job, read key by key and not taken on trust. `null` is "not given". What nobody asked for when `finish` is called is refused.
 * Errors: DT_INPUT_INVALID, naming the key.
 */
export class Arguments {
  private readonly asked = new Set<string>();
  private readonly given: Readonly<Record<string, unknown>>;

  constructor(
    given: unknown,
    readonly what: string,
  ) {
    if (!isRecord(given)) throw new ToolkitError('DT_INPUT_INVALID', { what, reason: 'it is no object' });
    this.given = given;
  }

  number(key: string): number | undefined {
    return this.read(key, 'a number', (value): value is number => typeof value === 'number' && Number.isFinite(value));
  }

  required(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw this.refusal(key, 'it is missing; it must be a number');
    return value;
  }

  count(key: string): number {
    const value = this.required(key);
    if (!Number.isSafeInteger(value) || value < 1) throw this.refusal(key, `${value} is no positive whole number`);
    return value;
  }

  /** 0, 1, 2 … */
  whole(key: string): number | undefined {
    const value = this.number(key);
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) throw this.refusal(key, `${value} is no whole number`);
    return value;
  }

  text(key: string): string | undefined {
    return this.read(key, 'a text', isText);
  }

  flag(key: string): boolean | undefined {
    return this.read(key, 'true or false', (value): value is boolean => typeof value === 'boolean');
  }

  oneOf<Value extends string>(key: string, values: readonly Value[]): Value | undefined {
    return this.read(key, `one of ${values.join(', ')}`, (value): value is Value => values.some((known) => known === value));
  }

  /** One name, or a list of names. */
  names(key: string): readonly string[] | undefined {
    const value = this.read(key, 'a name or a list of names', (found): found is string | string[] => isText(found) || isNames(found));
    return typeof value === 'string' ? [value] : value;
  }

  /** Lists of names by the number of an input: {"0": ["age", "income"]}. */
  namesByInput(key: string): ReadonlyMap<string, readonly string[]> {
    const value = this.read(key, 'a list of names for each input, as {"0": ["age"]}', (found): found is Record<string, string[]> => {
      return isRecord(found) && Object.values(found).every((names) => isNames(names) && names.length > 0);
    });
    return new Map(Object.entries(value ?? {}));
  }

  /** The same names for all inputs, or a name or names for each: "id", ["id"], {"0": "id", "1": ["first", "last"]}. */
  namesOrNamesByInput(key: string): readonly string[] | ReadonlyMap<string, readonly string[]> | undefined {
    const isList = (found: unknown): found is string | string[] => isText(found) || (isNames(found) && found.length > 0);
    const value = this.read(key, 'a name, a list of names, or these by input, as {"0": "id"}', (found): found is NamesByInput => {
      return isList(found) || (isRecord(found) && Object.values(found).every(isList));
    });
    if (value === undefined || typeof value === 'string') return value === undefined ? undefined : [value];
    if (Array.isArray(value)) return value;
    return new Map(Object.entries(value).map(([input, names]) => [input, typeof names === 'string' ? [names] : names]));
  }

  /** One whole number for all seats, or one for each: 1000, {"0": 1000}. */
  wholeBySeat(key: string, seat: string): number | undefined {
    const isWhole = (found: unknown): found is number => typeof found === 'number' && Number.isSafeInteger(found) && found >= 0;
    const value = this.read(key, 'a whole number, or one by seat, as {"0": 1000}', (found): found is number | Record<string, number> => {
      return isWhole(found) || (isRecord(found) && Object.values(found).every(isWhole));
    });
    return typeof value === 'object' ? value[seat] : value;
  }

  /** A key that has a meaning elsewhere and none here. */
  none(key: string, reason: string): void {
    if (this.read(key, '', (value): value is unknown => value !== undefined) !== undefined) throw this.refusal(key, reason);
  }

  finish(): void {
    const strange = Object.keys(this.given).find((key) => !this.asked.has(key));
    if (strange !== undefined) throw this.refusal(strange.slice(0, 60), `there is no such option; there are ${[...this.asked].join(', ')}`);
  }

  refusal(key: string, reason: string): ToolkitError {
    return new ToolkitError('DT_INPUT_INVALID', { what: `${this.what}.${key}`, reason });
  }

  private read<Value>(key: string, wanted: string, fits: (value: unknown) => value is Value): Value | undefined {
    this.asked.add(key);
    const value = Object.hasOwn(this.given, key) ? this.given[key] : undefined;
    if (value === undefined || value === null) return undefined;
    if (!fits(value)) throw this.refusal(key, `it must be ${wanted}`);
    return value;
  }
}

type NamesByInput = string | string[] | Record<string, string | string[]>;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 200;
const isNames = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
