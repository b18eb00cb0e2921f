import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { followRun } from '../../src/actions/job/follow-run.js';
import { type JobParties, type Party, partiesOf } from '../../src/actions/job/job-parties.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import type { Bytes32, TokenId } from '../../src/documents/ids.js';
import type { RunView } from '../../src/peers/daemon-client.js';
import type { JointWorld } from './joint-world.js';
import type { BankProcess, BankRole, Role } from './world.js';

export type PartName = 'a0' | 'b1' | 'a2' | 'c';
export const partNames: readonly PartName[] = ['a0', 'b1', 'a2', 'c'];

/** One share of a joint job, asked for by itself. */
export interface Part {
  readonly name: PartName;
  readonly party: Party;
  /** The run, once it was asked for and accepted. */
  run: RunView | undefined;
  /** @throws the daemon's refusal */
  ask(spec?: Bytes32): Promise<RunView>;
  /** The run at its end, found by its job and token where the request itself was refused. */
  end(): Promise<RunView>;
  /** Resolves when its receipt is on the chain, which a rerun needs first. */
  settled(): Promise<void>;
  rerun(): Promise<RunView>;
}

export interface PartedJob {
  readonly job: bigint;
  readonly algorithm: TokenId;
  readonly resolved: JobParties;
  readonly parts: Readonly<Record<PartName, Part>>;
  /** Asks for these, one after the other. */
  ask(...names: readonly PartName[]): Promise<void>;
  /** Outcome and code of each of these, in this order. */
  ends(...names: readonly PartName[]): Promise<readonly RunView[]>;
}

/** Adds a joint job whose requests the test sends itself. `by`: who adds it, the third party unless said otherwise. */
export async function partedJob(
  joint: JointWorld<BankRole | BankProcess>,
  modelArgs: JsonObject,
  { algorithm: given, by = joint.c, task = joint.task }: { algorithm?: TokenId; by?: Role; task?: bigint } = {},
): Promise<PartedJob> {
  const algorithm = given ?? (await joint.algorithm(modelArgs));
  const job = await by.context.ledger.addJob(task, algorithm);
  const resolved = await partiesOf(by.context, job);
  const tokens: Readonly<Record<PartName, TokenId>> = {
    a0: joint.tokens.a0,
    b1: joint.tokens.b1,
    a2: joint.tokens.a2,
    c: algorithm,
  };
  const make = (name: PartName): Part => {
    const party = resolved.parties.find(({ token }) => token === tokens[name]);
    if (party === undefined) throw new Error(`the job has no part ${name}`);
    const part: Part = {
      name,
      party,
      run: undefined,
      ask: async (spec = resolved.specDigest) => {
        part.run = await party.client.compute({ job, algorithm, dataToken: party.token, spec });
        return part.run;
      },
      end: async () => {
        const run = part.run ?? (await party.client.jobs({ job: String(job), token: party.token }))[0];
        if (run === undefined) throw new Error(`${name} has no run`);
        return followRun(party, run);
      },
      settled: async () => {
        // As long as a busy machine and its chain may take for the write.
        await expect.poll(async () => (await part.end()).settlement, { timeout: 60_000 }).not.toBe('pending');
      },
      rerun: async () => {
        await part.settled();
        part.run = await party.client.rerun((await part.end()).id);
        return part.run;
      },
    };
    return part;
  };
  const parts = { a0: make('a0'), b1: make('b1'), a2: make('a2'), c: make('c') };
  return {
    job,
    algorithm,
    resolved,
    parts,
    ask: async (...names) => {
      for (const name of names) await parts[name].ask();
    },
    ends: (...names) => Promise.all(names.map((name) => parts[name].end())),
  };
}

/** Resolves when the run has told of itself what `text` finds, in any event. @throws when it ends without */
export async function heard({ party, run }: Part, text: string): Promise<void> {
  if (run === undefined) throw new Error('it has not been asked for');
  for await (const event of party.client.events(run.id)) if (event.data.includes(text)) return;
  throw new Error(`it ended without ${text}`);
}

/** State events and log lines of a run that has ended. */
export async function eventsOf(part: Part): Promise<{ readonly states: readonly string[]; readonly logs: number }> {
  const states: string[] = [];
  let logs = 0;
  const run = await part.end();
  for await (const event of part.party.client.events(run.id)) {
    if (event.event === 'state') states.push(String(JSON.parse(event.data).state));
    if (event.event === 'log') logs += 1;
  }
  return { states, logs };
}

/** What lies under released/ of any job folder of a daemon. */
export function releasedFiles({ folder }: Pick<Role, 'folder'>, runId: string): readonly string[] {
  const released = join(jobsFolder(folder), runId, 'released');
  return existsSync(released) ? readdirSync(released) : [];
}

const jobsFolder = (folder: string): string => join(folder, 'jobs');
