import { ToolkitError } from '../../errors/toolkit-error.js';
import { type FixedHessianOptions, fixedHessianDefaults, fixedHessianOptions } from '../regression/fixed-hessian.js';
import { type JointOptions, leastTestRows, leastTrainRowsFor } from '../regression/joint-options.js';
import { type LinearOptions, linearOptions } from '../regression/linear.js';
import { type SgdOptions, sgdOptionsFromModelArgs } from '../regression/sgd-options.js';
import { Arguments, isRecord } from './arguments.js';
import { type JoinChoice, readJoinChoice } from './join-arguments.js';
import { readTableChoice, recipientOf, type TableChoice } from './table-choice.js';
import { type SeatInputs, type VerticalRoles, verticalRoles } from './vertical-roles.js';

/** What the arguments of a joint fit say. */
export interface VerticalFit<Options extends JointOptions> {
  readonly roles: VerticalRoles;
  readonly choice: TableChoice;
  /** How the common rows are found; undefined: rows are aligned by their order. */
  readonly join: JoinChoice | undefined;
  /** Where `split` is a fraction, those of a table with `leastRows` rows. */
  readonly options: Options;
  /** Fewer joined rows are not enough to train and to test on. */
  readonly leastRows: number;
  /** The options for a joined table. */
  forRows(rows: number): Options;
}

export type LogisticFit =
  | ({ readonly method: 'sgd' } & VerticalFit<SgdOptions>)
  | ({ readonly method: 'fixed_hessian' } & VerticalFit<FixedHessianOptions>);

/** The original wrote its log line now and then; with its six arguments alone this is how often. */
const scoredEvery = 1000;

/** The engine's names of what people call differently. */
const namesForPeople: Readonly<Record<string, string>> = {
  inDim: 'in_dim',
  trainRows: 'split',
  steps: 'epoch',
  batchSize: 'batch_size',
  learningRate: 'lr',
  outOfRange: 'out_of_range',
  evaluateEvery: 'evaluate_every',
  rowSeed: 'seed',
};

/**
 * The `model_args` of a joint logistic regression. The original's six are enough: in_dim, out_dim, lr, batch_size, split, epoch. Others:
 * method, model_to, and, in model_args or in its key `options`: seed, evaluate_every, intercept, standardise, reduction, clip, out_of_range, period, label, label_input, id, features,
 * join_on, join_normalize, join_duplicates, join_protocol, min_intersection.
 * Errors: DT_INPUT_INVALID, naming the key.
 */
export function logisticFit(given: unknown, seats: readonly SeatInputs[], jobDigest: string): LogisticFit {
  const args = new Arguments(withOptions(given), 'model_args');
  const method = args.oneOf('method', ['sgd', 'fixed_hessian']) ?? 'sgd';
  const { roles, choice, join, common } = readCommon(args, seats);
  const { in_dim, out_dim, split } = readShape(args, join);
  const changes = present({ ...common, evaluateEvery: args.number('evaluate_every'), period: args.number('period') });
  if (method === 'fixed_hessian') {
    for (const key of ['lr', 'batch_size', 'reduction']) args.none(key, 'a fixed-Hessian fit has none: leave it out, or give null');
    if (args.flag('standardise') === false) throw args.refusal('standardise', 'a fixed-Hessian fit always standardises');
    const steps = args.number('epoch') ?? fixedHessianDefaults.steps;
    args.finish();
    const make = (trainRows: number) => named(() => fixedHessianOptions({ jobDigest, inDim: in_dim, trainRows }, { ...changes, steps }));
    return { method, roles, choice, join, ...forSplit(split, leastTrainRowsFor(in_dim), make) };
  }
  const [lr, batch_size, epoch] = [args.required('lr'), args.count('batch_size'), args.count('epoch')];
  const more = present({ reduction: args.oneOf('reduction', ['mean', 'sum']), standardise: args.flag('standardise') });
  args.finish();
  const make = (trainRows: number) => {
    const modelArgs = { in_dim, out_dim, lr, batch_size, split: trainRows, epoch };
    return named(() => sgdOptionsFromModelArgs(jobDigest, modelArgs, { evaluateEvery: scoredEvery, ...changes, ...more }));
  };
  return { method, roles, choice, join, ...forSplit(split, Math.max(batch_size, leastTrainRowsFor(in_dim)), make) };
}

/** The `model_args` of a joint linear regression: in_dim, out_dim, split, and optionally l2 and those of the logistic one that it has. Errors as there. */
export function linearFit(given: unknown, seats: readonly SeatInputs[], jobDigest: string): VerticalFit<LinearOptions> {
  const args = new Arguments(withOptions(given), 'model_args');
  const { roles, choice, join, common } = readCommon(args, seats);
  const { in_dim, split } = readShape(args, join);
  const changes = present({ ...common, l2: args.number('l2') });
  args.finish();
  const make = (trainRows: number) => named(() => linearOptions({ jobDigest, inDim: in_dim, trainRows }, changes));
  return { roles, choice, join, ...forSplit(split, leastTrainRowsFor(in_dim), make) };
}

/** A template that does not name every option has one key `options` for all of them. */
export function withOptions(given: unknown): unknown {
  if (!isRecord(given) || !Object.hasOwn(given, 'options')) return given;
  const { options, ...others } = given;
  if (options === null) return others;
  if (!isRecord(options))
    throw new ToolkitError('DT_INPUT_INVALID', { what: 'model_args.options', reason: 'it must be an object, or null' });
  const twice = Object.keys(options).find((key) => Object.hasOwn(others, key));
  if (twice === undefined) return { ...others, ...options };
  throw new ToolkitError('DT_INPUT_INVALID', { what: `model_args.options.${twice}`, reason: 'it stands in model_args too' });
}

/** `split` rows train, or of a joined table, whose rows nobody knows before, a fraction of them. */
function readShape(args: Arguments, join: JoinChoice | undefined): { in_dim: number; out_dim: number; split: number } {
  const out_dim = args.number('out_dim') ?? 1;
  if (out_dim !== 1) throw args.refusal('out_dim', `it is ${out_dim}; this fit has one output`);
  return { in_dim: args.count('in_dim'), out_dim, split: readSplit(args, join) };
}

function readSplit(args: Arguments, join: JoinChoice | undefined): number {
  const split = args.required('split');
  if (join === undefined || split <= 0 || split >= 1) return args.count('split');
  if (split < leastFraction || split > 1 - leastFraction) {
    throw args.refusal('split', `${split} is not in ${leastFraction} to ${1 - leastFraction}`);
  }
  return split;
}

/** Else a table would have to be very large to leave enough rows on both sides. */
const leastFraction = 0.01;

/** Options whose training rows follow from `split`. */
function forSplit<Options>(
  split: number,
  leastTrain: number,
  make: (trainRows: number) => Options,
): { options: Options; leastRows: number; forRows(rows: number): Options } {
  if (split >= 1) {
    const options = make(split);
    return { options, leastRows: split + leastTestRows, forRows: () => options };
  }
  const trainRowsOf = (rows: number): number => Math.floor(split * rows);
  let leastRows = Math.max(Math.ceil(leastTrain / split), Math.ceil(leastTestRows / (1 - split)));
  // Rounding may take one row more.
  while (trainRowsOf(leastRows) < leastTrain) leastRows += 1;
  return { options: make(trainRowsOf(leastRows)), leastRows, forRows: (rows) => make(trainRowsOf(rows)) };
}

function readCommon(args: Arguments, seats: readonly SeatInputs[]) {
  const choice = readTableChoice(args);
  const join = readJoinChoice(args);
  const roles = verticalRoles(seats, choice.labelInput);
  const rowSeed = args.text('seed');
  const common = {
    rowOrder: rowSeed === undefined ? undefined : ('seeded' as const),
    rowSeed,
    intercept: args.flag('intercept'),
    clip: args.number('clip'),
    outOfRange: args.oneOf('out_of_range', ['clip', 'refuse']),
    modelTo: recipientOf(args, 'model_to', roles),
  };
  return { choice, roles, join, common };
}

type Present<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

/** Without the keys that were not given, so that they do not hide a default. */
function present<Value extends object>(value: Value): Present<Value> {
  const kept: Present<Value> = { ...value } as Present<Value>;
  for (const key of Object.keys(kept) as (keyof Value)[]) if (kept[key] === undefined) delete kept[key];
  return kept;
}

/** Makes options and names what is wrong with them as the arguments do. */
function named<Options>(make: () => Options): Options {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ToolkitError) || error.code !== 'DT_INPUT_INVALID') throw error;
    const { what, reason } = error.details;
    const key = namesForPeople[String(what)] ?? String(what);
    throw new ToolkitError('DT_INPUT_INVALID', { what: key.includes(' ') ? key : `model_args.${key}`, reason }, error);
  }
}
