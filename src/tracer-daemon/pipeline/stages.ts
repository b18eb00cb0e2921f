import type { Step } from '../../constraints/resolve-steps.js';
import type { ReleaseTerms } from '../../documents/ddo/release-terms.js';
import type { Clause } from '../../documents/decision/decision.js';
import type { Address, Bytes32, TokenId } from '../../documents/ids.js';
import type { JobFacts } from '../../documents/job/job-facts.js';
import type { JobSpec, JobStep } from '../../documents/job/job-spec.js';
import type { JointGroup, JointSeat } from '../../documents/job/joint-group.js';
import type { Receipt } from '../../documents/receipt/receipt.js';
import type { SandboxExit } from '../../sandbox/sandbox.js';

/**
 * The seven stages of one request: admit, resolve, authorize, stage, execute, release, settle. The output type of each is the input type
 * of the next, and the brand can only be made by the stage itself, so that running what was not authorized does not compile.
 */
declare const stage: unique symbol;
type Branded<T, Name extends string> = T & { readonly [stage]: Name };

/** Who asks for what: proven, fresh, in time, and there is room. */
export type AdmittedJob = Branded<
  { readonly job: bigint; readonly algorithm: TokenId; readonly token: TokenId; readonly signer: Address; readonly signedSpec: Bytes32 },
  'admitted'
>;

/** All that chain and documents say about it, read once. */
export type ResolvedRequest = Branded<
  {
    readonly asked: AdmittedJob;
    readonly facts: JobFacts;
    readonly spec: JobSpec;
    readonly specDigest: Bytes32;
    readonly steps: readonly Step[];
    readonly problems: readonly Clause[];
  },
  'resolved'
>;

export interface JointPlace {
  readonly group: JointGroup;
  readonly seat: JointSeat;
  /** Whether this run starts the operator; the others of the seat bring it their data and wait. */
  readonly leads: boolean;
}

/** What the owner of one leaf asks for. */
export interface LeafTerms extends ReleaseTerms {
  readonly token: TokenId;
  /** Place of its service in the document. */
  readonly service: number;
}

/** Every clause passed; the decision is on disk. */
export type AuthorizedJob = Branded<
  {
    readonly request: ResolvedRequest;
    readonly step: JobStep;
    readonly decisionDigest: Bytes32;
    /** Tokens from the algorithm down to the leaf, whose grants must stay live. */
    readonly path: readonly TokenId[];
    /** Milliseconds since 1970 at which the first grant of the tree ends; undefined: none does. */
    readonly grantsEndAt: number | undefined;
    /** Source text of the operator whose digest was authorized. */
    readonly code: string;
    /** Of all leaves whose data the operator is given here. */
    readonly terms: readonly LeafTerms[];
    /** Digest of the token's data when it was authorized; undefined for a helper. */
    readonly data: Bytes32 | undefined;
    /** Where this organization sits, when the step is computed jointly. */
    readonly joint: JointPlace | undefined;
  },
  'authorized'
>;

/** The job folder is complete. */
export type StagedJob = Branded<{ readonly authorized: AuthorizedJob; readonly folder: string; readonly operatorFile: string }, 'staged'>;

export type ExecutedJob = Branded<{ readonly staged: StagedJob; readonly exit: SandboxExit }, 'executed'>;

export type ReleasedOutput = Receipt['outputs'][number];

export type ReleasedJob = Branded<
  {
    readonly executed: ExecutedJob;
    readonly outputs: readonly ReleasedOutput[];
    readonly withheld?: number;
    /** How long the owner has to look at them. */
    readonly holdMs?: number;
  },
  'released'
>;

/** Only the stage that has done its checks calls this. */
export const brand = <B extends Branded<object, string>>(value: Omit<B, typeof stage>): B => value as B;
