/**
 * Joint logistic regression of two owners who know different things about the same customers, with a third party as dealer of random
 * numbers. Rows are aligned by order, or by a private join on ids (join_on). No row leaves its owner in a form that anyone can read.
 *
 * Parameters (the original's six `model_args` are enough; the others are optional, null is "not given", what is unknown is refused):
 *   party_id, inputs, exec_endpoints   as in every joint job: which input a token brings, and who has which seat
 *   model_args.in_dim       feature columns of both owners together, without the intercept
 *   model_args.out_dim      1
 *   model_args.split        the first `split` rows train, the others are held out to test on
 *   model_args.epoch        number of gradient steps (the original's name for it), or of fixed-Hessian steps (30)
 *   model_args.lr           learning rate of a gradient step
 *   model_args.batch_size   rows of a gradient step
 *   model_args.method       "sgd" (gradient steps, as the original); "fixed_hessian": full batches, converges in tens of steps, takes no
 *                           lr and batch_size (null), always standardises
 *   model_args.model_to     "owners": each the weights of its columns; or a seat that gets the whole model
 *   model_args.options      an object of the following, or null; they may also stand in model_args itself:
 *     seed                  text: the rows are shuffled by it before they are split; not given: the order of the files
 *     label                 name of the label column; not given: the label is alone in its file
 *     label_input           number of the input that holds it; not given: the highest number of the party that brings more than one
 *                           input, else of the first party
 *     id                    a name or names of columns that are no features
 *     features              {"<input>": ["name", …]}; not given: all columns but id and label
 *     evaluate_every        steps between two scorings of the held-out rows (1000; fixed_hessian: 0, after the last step only)
 *     standardise           for sgd: subtract the mean, divide by the deviation (false)
 *     reduction             "mean" or "sum" over the rows of a batch
 *     clip, out_of_range    values beyond +-clip (8) are cut ("clip") or refused ("refuse")
 *     intercept             (true)
 *     join_on               the id column or columns of both sides, "id" or {"0": ["id"], "1": ["customer"]}: the owners first find the rows that
 *                           both have (private set intersection, see psi.mjs) and go on with these, in a random order; not given: row i of
 *                           every input is the same customer. Id columns are no features. An input of the same owner that has id columns too
 *                           is matched by them, another one by the order of its rows. `split` may then be a fraction, as 0.8
 *     join_normalize, join_duplicates, join_protocol, min_intersection   as normalize, duplicates, protocol, min_intersection of psi.mjs. Too few
 *                           common rows for `split` end the job like too few for min_intersection
 *     period                of the sigmoid that is computed with, a power of two (64): logits stay well below half of it
 *   outputs["<seat>"]       log file of that seat: lines `AUC at round N: x`, also on standard output
 *   outputs.metrics         held-out AUC, KS, accuracy, loss and their curve, the join, time and traffic, as JSON, at the label's owner
 *   outputs.model           the weights, as JSON, at whom model_to names
 * What `outputs` does not name is not written. What is written is released to who asked for the job: whoever minds does not allow the name.
 *
 * Who learns what (semi-honest parties; the dealer must not collude with an owner, together they could read the other's columns):
 *   all             the arguments, names of parties, row count, number of columns of each owner, the held-out figures at each scoring
 *   label's owner   also the held-out pairs (logit, label) at each scoring, in an order that it cannot undo
 *   whom model_to names: the weights; of a whole model also mean and deviation of each column (fixed_hessian: and the whitening matrix)
 *   with join_on    the owners: how many ids the other has (as readers of the log do), and which of their own rows are common; the
 *                   dealer: how many rows are common. Not which, and nothing about other ids
 *   dealer          nothing more: it receives no word that depends on data, unless model_to names it
 *   reader of a failed job: which column and row cannot be used, and why; never what a cell holds
 * The protocols with their sources: src/privacy/regression (sgd-bank, fixed-hessian, shuffled-scores, reveal-model).
 */
import {
  declaredOutputs,
  fitFixedHessianBank,
  fitFixedHessianDealer,
  fitSgdBank,
  fitSgdDealer,
  logisticFit,
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
  const fit = logisticFit(args.model_args, seats, digest);
  const { method, roles } = fit;
  const hooks = { log: outputs.log };
  const writeModel = (parts) => parts.length > 0 && outputs.json('model', modelFile('logistic', digest, parts));

  if (seat === roles.dealer) {
    const options = await prepareDealer(session, fit);
    const links = { banks: [session.channel(roles.bank0), session.channel(roles.bank1)] };
    const run = method === 'sgd' ? fitSgdDealer : fitFixedHessianDealer;
    const { parts } = await run(links, options, systemRandom(), hooks);
    writeModel(parts);
    return;
  }

  const hasLabel = seat === roles.bank0;
  const { input, options, join } = await prepareBank(session, fit, outputs.log);
  const otherBank = meterRounds(session.channel(hasLabel ? roles.bank1 : roles.bank0));
  const links = { otherBank, dealer: session.channel(roles.dealer) };
  const run = method === 'sgd' ? fitSgdBank : fitFixedHessianBank;
  const { parts, evaluations, trainMs } = await run(links, options, input, systemRandom(), hooks);
  writeModel(parts);
  if (!hasLabel) return;
  const { columns } = input;
  const { auc, ks, accuracy, loss } = evaluations.at(-1);
  outputs.json('metrics', {
    model: 'joint logistic regression',
    method,
    rows: { all: columns.rows, train: options.trainRows, test: columns.rows - options.trainRows },
    features: { all: options.inDim, own: columns.names.length },
    steps: options.steps,
    auc,
    ks,
    accuracy,
    loss,
    curve: evaluations,
    train_ms: Math.round(trainMs),
    rounds: otherBank.rounds,
    wait_ms: Math.round(otherBank.waitMs),
    send_ms: Math.round(otherBank.sendMs),
    ...(join && { join }),
    links: trafficOf(session),
  });
});
