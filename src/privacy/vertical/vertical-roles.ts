import { ToolkitError } from '../../errors/toolkit-error.js';

/** A party of a joint job and the numbers of the inputs that it brings. */
export interface SeatInputs {
  readonly seat: string;
  readonly inputs: readonly string[];
}

/** The two that bring columns, in the order of their seats, and the one that brings none. */
export interface DataSeats {
  readonly banks: readonly [string, string];
  readonly third: string;
}

/** Seats by what they do in a fit: bank0 has the label. */
export interface VerticalRoles {
  readonly bank0: string;
  readonly bank1: string;
  readonly dealer: string;
}

/** Errors: DT_INPUT_INVALID unless two seats bring inputs and one brings none. */
export function dataSeats(seats: readonly SeatInputs[]): DataSeats {
  const banks = seats.filter(({ inputs }) => inputs.length > 0).map(({ seat }) => seat);
  const helpers = seats.filter(({ inputs }) => inputs.length === 0).map(({ seat }) => seat);
  const [first, second, ...more] = banks;
  const [third, ...others] = helpers;
  if (first === undefined || second === undefined || third === undefined || more.length + others.length > 0) {
    const reason = `${banks.length} seats bring inputs and ${helpers.length} bring none, where two and one are needed`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'exec_endpoints', reason });
  }
  return { banks: [first, second], third };
}

/**
 * Who has the label, from public facts alone, so that all parties agree without a word: the seat that brings `labelInput`; else the one
 * seat that brings more than one input (the original's form: features and a label file); else the first seat.
 * Errors: DT_INPUT_INVALID.
 */
export function verticalRoles(seats: readonly SeatInputs[], labelInput?: string): VerticalRoles {
  const { banks, third } = dataSeats(seats);
  const inputsOf = (wanted: string): readonly string[] => seats.find(({ seat }) => seat === wanted)?.inputs ?? [];
  const candidates = banks.filter((seat) => (labelInput === undefined ? inputsOf(seat).length > 1 : inputsOf(seat).includes(labelInput)));
  if (labelInput !== undefined && candidates.length === 0)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.label_input', reason: `no one brings input ${labelInput}` });
  if (candidates.length > 1)
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'model_args.label_input',
      reason: 'it is needed, since more than one party brings several inputs',
    });
  const bank0 = candidates[0] ?? banks[0];
  return { bank0, bank1: bank0 === banks[0] ? banks[1] : banks[0], dealer: third };
}
