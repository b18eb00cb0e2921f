/**
 * Joint linear regression (least squares) of two owners who know different things about the same customers, with a third party as dealer of
 * random numbers. Rows are aligned by order, or by a private join (join_on). No row leaves its owner in a form that anyone can read.
 *
 * Parameters: party_id, inputs, exec_endpoints and outputs as in vertical_lr.mjs, with the figures R2, RMSE and MAE; of its `model_args`
 *   in_dim, out_dim, split, model_to, and of its options seed, label, label_input, id, features, clip, out_of_range and intercept.
 *   Another option is l2 (0): ridge, so much times the squared weights of the standardised columns joins the sum of squared residuals.
 *   join_on and its companions are those of vertical_lr.mjs; `split` may then be a fraction.
 *   The label is any number: it is the target. Columns are always standardised.
 *
 * Who learns what (semi-honest parties; the dealer must not collude with an owner, together they could read the other's columns):
 *   all             the arguments, names of parties, row count, number of columns of each owner, the held-out figures, and mean and
 *                   deviation of the target over the training rows
 *   target's owner  also the held-out pairs (prediction, target), in an order that it cannot undo
 *   whom model_to names: the weights; of a whole model also mean, deviation and whitening matrix of the columns
 *   with join_on    the owners: how many ids the other has (as readers of the log do), and which of their own rows are common; the
 *                   dealer: how many rows are common. Not which, and nothing about other ids
 *   dealer          nothing more: it receives no word that depends on data, unless model_to names it
 *   reader of a failed job: which column and row cannot be used, and why; never what a cell holds
 * The protocol with its sources: src/privacy/regression/linear.
 */
import {
  declaredOutputs,
  fitLinearBank,
  fitLinearDealer,
  linearFit,
  meterRounds,
  modelFile,
  prepareBank,
  prepareDealer,
  runOperator,
  systemRandom,
  trafficOf,
} from 'compute-to-data/privacy';

await runOperator(async (session) => {
  const { args, digest, seat, seats } = session;
  const outputs = declaredOutputs(session, ['metrics', 'model']);
  const fit = linearFit(args.model_args, seats, digest);
  const { roles } = fit;
  const hooks = { log: outputs.log };
  const writeModel = (parts) => parts.length > 0 && outputs.json('model', modelFile('linear', digest, parts));

  if (seat === roles.dealer) {
    const options = await prepareDealer(session, fit);
    const links = { banks: [session.channel(roles.bank0), session.channel(roles.bank1)] };
    const { parts } = await fitLinearDealer(links, options, systemRandom(), hooks);
    writeModel(parts);
    return;
  }

  const hasLabel = seat === roles.bank0;
  const { input, options, join } = await prepareBank(session, fit, outputs.log);
  const otherBank = meterRounds(session.channel(hasLabel ? roles.bank1 : roles.bank0));
  const links = { otherBank, dealer: session.channel(roles.dealer) };
  const { parts, evaluations, trainMs } = await fitLinearBank(links, options, input, systemRandom(), hooks);
  writeModel(parts);
  if (!hasLabel) return;
  const { columns } = input;
  const { r2, rmse, mae } = evaluations.at(-1);
  outputs.json('metrics', {
    model: 'joint linear regression',
    rows: { all: columns.rows, train: options.trainRows, test: columns.rows - options.trainRows },
    features: { all: options.inDim, own: columns.names.length },
    r2,
    rmse,
    mae,
    train_ms: Math.round(trainMs),
    rounds: otherBank.rounds,
    ...(join && { join }),
    links: trafficOf(session),
  });
});
