// Entry of the package `compute-to-data/privacy`: all that a joint operator may use. docs/OPERATORS.md shows how.
// biome-ignore-all lint/performance/noBarrelFile: the entry of a package is what a barrel is for; it is bundled

export type { Json, JsonObject } from '../documents/canonical.js';
export type { JointSeat } from '../documents/job/joint-description.js';
export type { ErrorCode } from '../errors/codes.js';
export { ToolkitError } from '../errors/toolkit-error.js';
export type { Channel, ChannelCounters, ChannelTranscript } from '../privacy/channel.js';
export { memoryChannelPair } from '../privacy/memory-channel.js';
export { runParty } from '../privacy/party.js';
export { dealForCount } from '../privacy/psi/count-dealer.js';
export type { IdBatch, IdColumn } from '../privacy/psi/psi-digest.js';
export type { PsiOwnOptions, PsiTerms } from '../privacy/psi/psi-options.js';
export { type PsiResult, runPsi } from '../privacy/psi/run-psi.js';
export { type RandomSource, seededRandom, systemRandom } from '../privacy/random-source.js';
export type { Columns } from '../privacy/regression/columns.js';
export { fitFixedHessianBank, fitFixedHessianDealer } from '../privacy/regression/fit-fixed-hessian.js';
export { fitLinearBank, fitLinearDealer } from '../privacy/regression/fit-linear.js';
export { type BankInput, type FitResult, fitSgdBank, fitSgdDealer } from '../privacy/regression/fit-sgd.js';
export { type FixedHessianOptions, fixedHessianDefaults, fixedHessianOptions } from '../privacy/regression/fixed-hessian.js';
export type { Evaluation, FitHooks } from '../privacy/regression/held-out.js';
export { type JointOptions, jointDefaults, type Role } from '../privacy/regression/joint-options.js';
export type { BankLinks, DealerLinks } from '../privacy/regression/joint-session.js';
export { type LinearOptions, linearDefaults, linearOptions } from '../privacy/regression/linear.js';
export { type HeldOutMetrics, heldOutMetrics, type LinearMetrics } from '../privacy/regression/metrics.js';
export { contributions, type ModelColumn, type ModelPart } from '../privacy/regression/model-part.js';
export { type PredictInput, type PredictOptions, predictBank, predictThird } from '../privacy/regression/predict.js';
export {
  checkSgdOptions,
  type ModelArgs,
  type SgdOptions,
  sgdDefaults,
  sgdOptionsFromModelArgs,
} from '../privacy/regression/sgd-options.js';
export { type MeteredChannel, meterRounds } from '../privacy/round-meter.js';
export { plaintextSum } from '../privacy/statistics/plaintext-sum.js';
export { type SumOptions, type SumParty, secureSum, sumDefaults } from '../privacy/statistics/secure-sum.js';
export { Arguments } from '../privacy/vertical/arguments.js';
export { type LogisticFit, linearFit, logisticFit, type VerticalFit, withOptions } from '../privacy/vertical/fit-arguments.js';
export { idColumnsOf, type JoinChoice, readJoinChoice } from '../privacy/vertical/join-arguments.js';
export { type ModelFile, modelFile, parseModelFile, partFor } from '../privacy/vertical/model-file.js';
export type { TableChoice } from '../privacy/vertical/table-choice.js';
export { type DataSeats, dataSeats, type VerticalRoles, verticalRoles } from '../privacy/vertical/vertical-roles.js';
export { type DeclaredOutputs, declaredOutputs } from './declared-outputs.js';
export { IdFile, readHeader } from './join/id-file.js';
export { type JoinedFit, prepareBank, prepareDealer } from './join/join-fit.js';
export { type JoinedRows, type JoinReport, joinRows, rowsOf } from './join/join-rows.js';
export { helpPsiJob, type PsiHelper, type PsiJob, type PsiReport, psiJob, runPsiJob } from './join/psi-job.js';
export { writeRows } from './join/write-rows.js';
export type { OperatorSession } from './operator-session.js';
export { readInputs } from './read-inputs.js';
export { type ReadTableOptions, readTable, type Table } from './read-table.js';
export { runOperator } from './run-operator.js';
export { type LinkTraffic, trafficOf } from './traffic.js';
