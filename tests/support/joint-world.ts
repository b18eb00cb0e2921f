import { readFile } from 'node:fs/promises';
import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { checkReceipt } from '../../src/actions/job/check-receipt.js';
import { type ExecJobResult, execJob } from '../../src/actions/job/exec-job.js';
import type { RunListener } from '../../src/actions/job/follow-run.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import type { ReleaseTerms } from '../../src/documents/ddo/release-terms.js';
import type { TokenId } from '../../src/documents/ids.js';
import type { JointRecord, Receipt } from '../../src/documents/receipt/receipt.js';
import type { ConfigValues } from '../../src/tracer-daemon/config/config.js';
import { type BankProcess, type BankRole, compositeAttributes, createWorld, mintLeaf, publish, type Role, type World } from './world.js';

/**
 * Does what its `mode` says at seat `at`; everywhere else it exchanges `rounds` messages with every peer, checks what comes, and writes
 * how many bytes it got of each.
 */
export const JOINT_OPERATOR = `
import { writeFileSync, readFileSync, symlinkSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOperator, ToolkitError } from 'compute-to-data/privacy';
await runOperator(async (session) => {
  const { mode, at, rounds = 3, pauseMs = 0, bytes = 100 } = session.args.model_args;
  const peers = session.seats.filter((seat) => seat.seat !== session.seat).map((seat) => session.channel(seat.seat));
  const acts = (name) => mode === name && at === session.seat;
  console.log('seat', session.seat, 'inputs', Object.keys(session.inputs ?? {}).join());
  const own = session.seats.find((seat) => seat.seat === session.seat).inputs.map((number) => readFileSync(session.input(number), 'utf8'));
  if (acts('column')) throw new ToolkitError('DT_INPUT_COLUMN', { column: 'age', reason: 'the value in row 3 is missing, NaN or infinite' });
  for (let round = 0; round < rounds; round++) {
    const message = new Uint8Array(bytes).fill(round);
    await Promise.all(peers.map((peer) => peer.send(message)));
    if (acts('crash') && round === 1) process.exit(3);
    if (acts('garbage') && round === 1) writeSync(4, Buffer.from('7fffffff00112233', 'hex'));
    for (const peer of peers) {
      const got = await peer.receive();
      if (got.length !== bytes || got[0] !== round) throw new ToolkitError('DT_PEER_PROTOCOL', { peer: peer.peer, reason: 'another message' });
    }
    if (pauseMs > 0) await sleep(pauseMs);
    if (acts('hang') && round === 1) await sleep(3_600_000);
  }
  if (acts('extra')) for (const peer of peers) await peer.send(new Uint8Array(7));
  if (acts('link')) symlinkSync('/etc/passwd', 'outputs/p');
  writeFileSync('outputs/result.json', JSON.stringify({ seat: session.seat, lines: own.map((text) => text.trim().split('\\n').length) }));
});
`;

export interface JointWorld<Bank> {
  readonly world: World;
  readonly a: Bank;
  readonly b: Bank;
  /** The third party: asks, and helps. */
  readonly c: Bank;
  readonly operator: TokenId;
  /** Bank A's features (party_id 0) and label (2), bank B's features (1). */
  readonly tokens: { readonly a0: TokenId; readonly b1: TokenId; readonly a2: TokenId };
  readonly task: bigint;
  algorithm(
    modelArgs: JsonObject,
    changes?: { readonly endpoints?: JsonObject; readonly perToken?: Record<string, JsonObject>; readonly by?: Role },
  ): Promise<TokenId>;
  /** Adds a job and asks all parties for their shares. */
  exec(modelArgs: JsonObject, options?: { wait?: boolean; listener?: RunListener; endpoints?: JsonObject }): Promise<ExecJobResult>;
  close(): Promise<void>;
}

/** What the parties compute with, where it is not the operator with the modes. */
export interface JointContent {
  /** What the owners ask for beside the constraint. */
  readonly terms: Readonly<Partial<Record<'a0' | 'b1' | 'a2', ReleaseTerms>>>;
  readonly code: string;
  readonly params: JsonObject;
  readonly outputs: JsonObject;
  /** Bank A's features, bank B's features, bank A's label. */
  readonly data: readonly [string, string, string];
}

export const inProcess = (world: World, name: string, config: ConfigValues): Promise<BankRole> => world.bank(name, config);
export const asProcess = (world: World, name: string, config: ConfigValues): Promise<BankProcess> => world.bankProcess(name, config);

/** Bank A with two data sets, bank B with one, and a third party with a daemon: the original's joint job, with another operator. */
export async function createJointWorld<Bank extends BankRole | BankProcess>(
  make: (world: World, name: string, config: ConfigValues) => Promise<Bank>,
  config: ConfigValues = {},
  what: Partial<JointContent> = {},
): Promise<JointWorld<Bank>> {
  const any = { party_id: {}, inputs: {}, exec_endpoints: {}, model_args: {}, outputs: {} };
  const { code = JOINT_OPERATOR, params = any, outputs = { '0': './outputs/result.json' } } = what;
  const [featuresA, featuresB, label] = what.data ?? ['x\n1\n2\n', 'y\n3\n4\n5\n', 'label\n0\n'];
  const world = await createWorld();
  const [a, b, c] = await Promise.all(['Bank A', 'Bank B', 'Third C'].map((name) => make(world, name, config)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('unreachable');
  const operator = await publish(world, 'joint modes', code, params);
  const mint = async (bank: Bank, name: string, partyId: number, text: string, terms: ReleaseTerms = {}): Promise<TokenId> =>
    mintLeaf(bank, {
      name,
      services: [{ index: 'joint', template: operator, constraint: { ...params, party_id: partyId }, ...terms }],
      storePath: await bank.data(`${name}.csv`, text),
    });
  const a0 = await mint(a, 'features-a', 0, featuresA, what.terms?.a0);
  const b1 = await mint(b, 'features-b', 1, featuresB, what.terms?.b1);
  const a2 = await mint(a, 'label-a', 2, label, what.terms?.a2);
  const task = await c.context.ledger.createTask('t', 'd');
  const endpoints = { '0': a.address, '1': b.address, '2': c.address };
  let count = 0;
  const self: JointWorld<Bank> = {
    world,
    a,
    b,
    c,
    operator,
    tokens: { a0, b1, a2 },
    task,
    algorithm: async (modelArgs, changes = {}) => {
      const of = (party_id: number, token: TokenId): { service: string; constraint: JsonObject } => ({
        service: 'joint',
        constraint: {
          party_id,
          inputs: { '0': './inputs/features-a.csv', '1': './inputs/features-b.csv', '2': './inputs/label-a.csv' },
          exec_endpoints: changes.endpoints ?? endpoints,
          model_args: modelArgs,
          outputs,
          ...changes.perToken?.[token],
        },
      });
      count += 1;
      const workflow = { [a0]: of(0, a0), [b1]: of(1, b1), [a2]: of(2, a2) };
      const { context } = changes.by ?? c;
      return (await composeAsset(context, { attributes: compositeAttributes(`joint ${count}`, 'Algorithm', workflow) })).dt;
    },
    exec: async (modelArgs, { wait = true, listener, endpoints: other } = {}) => {
      const algorithm = await self.algorithm(modelArgs, other === undefined ? {} : { endpoints: other });
      const result = await execJob(c.context, { task, algorithm, wait, ...(listener && { listener }) });
      // By party_id, the helper last.
      const order = [a0, b1, a2, algorithm];
      const shares = [...result.shares].sort((one, other) => order.indexOf(one.party.token) - order.indexOf(other.party.token));
      return { ...result, shares };
    },
    close: () => world.close(),
  };
  return self;
}

/** The states of all shares by owner and input, and what kept them. */
export const endings = ({ shares }: ExecJobResult): readonly (readonly [string, string, string])[] =>
  shares.map(({ party, run, problem }) => [party.ownerName, run?.state ?? 'none', problem?.code ?? run?.failure?.code ?? '']);

/** The receipt of each share, checked against its owner's signature. */
export async function receiptsOf(world: JointWorld<BankRole | BankProcess>, result: ExecJobResult): Promise<readonly Receipt[]> {
  return Promise.all(
    result.shares.map(async ({ party, run }) => {
      if (run === undefined) throw new Error(`no run at ${party.ownerName}`);
      return (await checkReceipt(world.c.context.ledger.ref, party, run)).receipt;
    }),
  );
}

export const jointOf = (receipt: Receipt | undefined): JointRecord => {
  if (receipt?.joint === undefined) throw new Error('the receipt tells of no joint computation');
  return receipt.joint;
};

export const sampleText = (path: string): Promise<string> => readFile(new URL(`../../samples/${path}`, import.meta.url), 'utf8');
