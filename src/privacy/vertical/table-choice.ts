import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Columns } from '../regression/columns.js';
import type { BankInput } from '../regression/fit-sgd.js';
import type { Arguments } from './arguments.js';
import type { VerticalRoles } from './vertical-roles.js';

/** Which columns of which inputs a joint model takes: public, part of the arguments. */
export interface TableChoice {
  /** Name of the label's column; undefined: the label is alone in its file. */
  readonly label: string | undefined;
  /** Number of the input with the label; undefined: the party's one with the highest number. */
  readonly labelInput: string | undefined;
  /** Left out wherever features are not named. */
  readonly id: readonly string[];
  /** The features to take, by input; all others for an input that is not there. */
  readonly features: ReadonlyMap<string, readonly string[]>;
}

export function readTableChoice(args: Arguments): TableChoice {
  return {
    label: args.text('label'),
    labelInput: args.text('label_input'),
    id: args.names('id') ?? [],
    features: args.namesByInput('features'),
  };
}

/** How one input is read. `columns` and `without` are options of readTable. */
export interface InputPlan {
  readonly input: string;
  readonly columns?: readonly string[];
  readonly without?: readonly string[];
  /** Where the label is in this input: the name of its column, or true when it is the only one. */
  readonly label: string | boolean;
}

/**
 * How a party reads its inputs. The label is in the input `label_input`, or else in the party's one with the highest number. That file holds nothing else unless it
 * is the party's only one or `features` names columns of it. `joined`: the id columns of inputs that are joined by them.
 * Errors: DT_INPUT_INVALID when the label needs a name and has none.
 */
export function planInputs(
  choice: TableChoice,
  inputs: readonly string[],
  hasLabel: boolean,
  joined: ReadonlyMap<string, readonly string[]> = new Map(),
): InputPlan[] {
  const labelInput = hasLabel ? (choice.labelInput ?? highest(inputs)) : undefined;
  return inputs.map((input) => {
    const features = choice.features.get(input);
    const ids = [...new Set([...choice.id, ...(joined.get(input) ?? [])])];
    if (input !== labelInput) return { input, ...selection(features, ids), label: false };
    if (choice.label === undefined && inputs.length === 1)
      throw new ToolkitError('DT_INPUT_INVALID', {
        what: 'model_args.label',
        reason: `it is needed, since input ${input} holds features and label`,
      });
    if (choice.label === undefined) return { input, ...selection(undefined, joined.get(input) ?? []), label: true };
    if (features !== undefined) return { input, columns: [...new Set([...features, choice.label])], label: choice.label };
    if (inputs.length === 1) return { input, ...selection(undefined, ids), label: choice.label };
    return { input, columns: [choice.label], label: choice.label };
  });
}

const highest = (inputs: readonly string[]): string | undefined => [...inputs].sort((a, b) => Number(a) - Number(b)).at(-1);

function selection(features: readonly string[] | undefined, id: readonly string[]): Pick<InputPlan, 'columns' | 'without'> {
  if (features !== undefined) return { columns: features };
  return id.length > 0 ? { without: id } : {};
}

export interface PlannedTable extends Columns {
  readonly plan: InputPlan;
}

/**
 * The columns of a party's inputs side by side, and the label where one of them has it. Row i of every input is the same customer.
 * `split`: rows that train; some must be left to test on. `mostColumns`: in_dim, so that a wrong one is found before any message.
 * Errors: DT_INPUT_INVALID, DT_INPUT_COLUMN.
 */
export function joinTables(tables: readonly PlannedTable[], split: number, mostColumns: number): BankInput {
  const [first, ...others] = tables;
  if (first === undefined) throw new ToolkitError('DT_INPUT_MISSING', { what: 'An input of this party' });
  const { rows } = first;
  for (const other of others)
    if (other.rows !== rows) {
      const reason = `input ${first.plan.input} has ${rows} rows and input ${other.plan.input} has ${other.rows}`;
      throw new ToolkitError('DT_INPUT_INVALID', { what: 'The inputs of this party', reason });
    }
  if (split >= rows)
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'model_args.split',
      reason: `it is ${split}, and there are ${rows} rows: some must be left to test on`,
    });
  const labelled = tables.find(({ plan }) => plan.label !== false);
  const label = labelled === undefined ? undefined : labelOf(labelled);
  const columns = sideBySide(tables, rows);
  if (columns.names.length === 0)
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'The inputs of this party', reason: 'they hold no feature' });
  if (columns.names.length >= mostColumns)
    throw new ToolkitError('DT_INPUT_INVALID', {
      what: 'model_args.in_dim',
      reason: `it is ${mostColumns} for both parties together, and this one alone brings ${columns.names.length} features`,
    });
  return label === undefined ? { columns } : { columns, labels: label };
}

function labelOf({ names, rows, values, plan }: PlannedTable): { name: string; values: Float64Array } {
  if (plan.label === true && names.length !== 1) {
    const reason = `it is needed, since input ${plan.input}, which holds the label, has ${names.length} columns`;
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.label', reason });
  }
  const name = typeof plan.label === 'string' ? plan.label : (names[0] as string);
  const j = names.indexOf(name);
  if (j < 0) throw new ToolkitError('DT_INPUT_COLUMN', { column: name, reason: `it is to be the label and is not in input ${plan.input}` });
  return { name, values: Float64Array.from({ length: rows }, (_, i) => values[i * names.length + j] as number) };
}

/** All columns but the label's; a single table without label is taken as it is. */
function sideBySide(tables: readonly PlannedTable[], rows: number): Columns {
  const parts = tables.map(({ names, values, plan }) => ({
    names,
    values,
    kept: names.map((_, j) => j).filter((j) => plan.label !== true && names[j] !== plan.label),
  }));
  const used = parts.filter(({ kept }) => kept.length > 0);
  const [only] = used;
  if (used.length === 1 && only !== undefined && only.kept.length === only.names.length)
    return { names: only.names, rows, values: only.values };
  const names = used.flatMap((part) => part.kept.map((j) => part.names[j] as string));
  const values = new Float64Array(rows * names.length);
  let at = 0;
  for (const part of used) {
    for (const j of part.kept) {
      for (let i = 0; i < rows; i++) values[i * names.length + at] = part.values[i * part.names.length + j] as number;
      at += 1;
    }
  }
  return { names, rows, values };
}

/** The role of a seat in the words of the engine. Errors: DT_INPUT_INVALID. */
export function recipientOf(args: Arguments, key: string, roles: VerticalRoles): 'owners' | 'bank0' | 'bank1' | 'dealer' | undefined {
  const wanted = args.text(key);
  if (wanted === undefined || wanted === 'owners') return wanted;
  if (wanted === roles.bank0) return 'bank0';
  if (wanted === roles.bank1) return 'bank1';
  if (wanted === roles.dealer) return 'dealer';
  throw args.refusal(key, `it must be "owners" or a seat: ${[roles.bank0, roles.bank1, roles.dealer].sort().join(', ')}`);
}
