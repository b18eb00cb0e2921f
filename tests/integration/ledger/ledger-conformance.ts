import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Address, type Bytes32, parseBytes32, type TokenId } from '../../../src/documents/ids.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import type { JobReport, Ledger, LedgerEvent, LedgerReader, OrganizationInput } from '../../../src/ledger/ledger.js';

/** One ledger with an administrator. Each test makes its own organizations in it, so the tests do not see each other. */
export interface LedgerWorld {
  readonly admin: Ledger;
  /** A reader that has not spoken yet. */
  openReader(): LedgerReader;
  /** The ledger of a fresh account, which is registered nowhere. */
  openLedger(): Promise<Ledger>;
  /** How long the grants live that the tests let expire: short where the clock cannot be moved. */
  readonly grantSeconds: number;
  /** Lets the ledger's clock pass. */
  advance(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** What every back-end of the ledger must do alike. */
export function ledgerConformance(name: string, open: () => Promise<LedgerWorld>): void {
  describe(`ledger: ${name}`, { timeout: 60_000 }, () => {
    let world: LedgerWorld;
    beforeAll(async () => {
      world = await open();
    }, 120_000);
    afterAll(() => world?.close());

    const bank = async () => register(world, { isProvider: true });
    const third = async () => register(world, { isAggregator: true });

    /** A task of `demander` and an activated algorithm over one leaf of each of `owners`. */
    async function algorithmOver(owners: readonly Ledger[], demander: Ledger) {
      const leaves = await Promise.all(owners.map((owner) => owner.mintToken(random(), random(), [])));
      const algorithm = await demander.mintToken(random(), random(), leaves);
      for (const [index, leaf] of leaves.entries()) await owners[index]!.grant(leaf, algorithm, 0);
      await demander.activate(algorithm);
      const task = await demander.createTask('Risk model', 'Which loans will be paid back?');
      return { leaves, algorithm, task };
    }

    it('registers an organization and tells its whole record', async () => {
      const ledger = await world.openLedger();
      const input = organization(ledger.signer, { isProvider: true });
      await world.admin.registerOrganization(input);
      const { organizations } = await world.openReader().operatorsAndOrganizations([], [ledger.signer]);
      expect(organizations).toEqual([input]);
    });

    it('lets an organization move its daemon, and nobody who is not registered', async () => {
      const ledger = await bank();
      const linkKey = random();
      await ledger.updateEndpoint('https://new.bank.example.org', linkKey);
      const { organizations } = await world.openReader().operatorsAndOrganizations([], [ledger.signer]);
      expect(organizations[0]).toMatchObject({ url: 'https://new.bank.example.org', linkKey, isProvider: true });
      await refuses((await world.openLedger()).updateEndpoint('https://a.example.org', linkKey), 'OrganizationUnknown');
    });

    it('takes roles away with the next registration', async () => {
      const ledger = await bank();
      await world.admin.registerOrganization(organization(ledger.signer, { isAggregator: true }));
      await refuses(ledger.mintToken(random(), random(), []), 'AccessControlUnauthorizedAccount');
    });

    it('lets nobody but the administrator register and publish', async () => {
      const ledger = await bank();
      await refuses(ledger.registerOrganization(organization(ledger.signer, {})), 'AccessControlUnauthorizedAccount');
      await refuses(ledger.publishOperator(random(), random()), 'AccessControlUnauthorizedAccount');
    });

    it('publishes, updates and retires operators', async () => {
      const [salt, first, second] = [random(), random(), random()];
      const operator = await world.admin.publishOperator(salt, first);
      expect(operator).toBe(world.openReader().deriveId('operator', world.admin.signer, salt));
      expect(await world.admin.updateOperator(operator, second)).toBe(2);
      await world.admin.retireOperator(operator);
      const { operators } = await world.openReader().operatorsAndOrganizations([operator, unknownToken()], []);
      expect(operators).toEqual([{ id: operator, owner: world.admin.signer, digest: second, version: 2, retired: true }, undefined]);
      await refuses(world.admin.updateOperator(operator, first), 'OperatorAlreadyRetired');
      await refuses(world.admin.publishOperator(salt, first), 'OperatorExists');
    });

    it('answers both lists in the order asked, and nothing for nothing', async () => {
      const [one, two] = await Promise.all([bank(), bank()]);
      const nobody = (await world.openLedger()).signer;
      const answer = await world.openReader().operatorsAndOrganizations([], [two.signer, nobody, one.signer]);
      expect(answer.organizations.map((each) => each?.address)).toEqual([two.signer, undefined, one.signer]);
      expect(await world.openReader().operatorsAndOrganizations([], [])).toEqual({ operators: [], organizations: [] });
    });

    it('mints a leaf under the derived id, once', async () => {
      const owner = await bank();
      const [salt, digest] = [random(), random()];
      const leaf = await owner.mintToken(salt, digest, []);
      expect(leaf).toBe(owner.deriveId('token', owner.signer, salt));
      const tree = await world.openReader().tokenTree(leaf);
      expect(tree.tokens).toEqual([{ id: leaf, owner: owner.signer, digest, activated: true, grants: [] }]);
      expect(tree.now).toBeGreaterThan(1_600_000_000);
      await refuses(owner.mintToken(salt, random(), []), 'TokenExists');
    });

    it('gives two owners of one salt two ids', async () => {
      const [one, two] = await Promise.all([bank(), bank()]);
      const salt = random();
      expect(await one.mintToken(salt, random(), [])).not.toBe(await two.mintToken(salt, random(), []));
    });

    it('refuses a composite of unknown or repeated children, and to who may not compose', async () => {
      const [owner, demander] = await Promise.all([bank(), third()]);
      const leaf = await owner.mintToken(random(), random(), []);
      await refuses(demander.mintToken(random(), random(), [leaf, unknownToken()]), 'ERC721NonexistentToken');
      await refuses(demander.mintToken(random(), random(), [leaf, leaf]), 'TokenChildRepeated');
      await refuses(owner.mintToken(random(), random(), [leaf]), 'AccessControlUnauthorizedAccount');
    });

    it('shows grants as they are given, limited and revoked', async () => {
      const [owner, demander] = await Promise.all([bank(), third()]);
      const leaves = [await owner.mintToken(random(), random(), []), await owner.mintToken(random(), random(), [])];
      const composite = await demander.mintToken(random(), random(), leaves);
      const shown = async () => (await world.openReader().tokenTree(composite)).tokens[0]?.grants;
      expect(await shown()).toEqual(leaves.map((child) => ({ child, grantedUntil: undefined })));

      const until = (await world.openReader().tokenTree(composite)).now + 10_000;
      await owner.grant(leaves[0]!, composite, until);
      await owner.grant(leaves[1]!, composite, 0);
      expect((await shown())?.map((grant) => grant.grantedUntil)).toEqual([until, 0]);
      await owner.revoke(leaves[1]!, composite);
      expect((await shown())?.map((grant) => grant.grantedUntil)).toEqual([until, undefined]);
    });

    it('refuses grants of others, of strangers to the composite, and into the past', async () => {
      const [owner, other, demander] = await Promise.all([bank(), bank(), third()]);
      const leaf = await owner.mintToken(random(), random(), []);
      const stranger = await owner.mintToken(random(), random(), []);
      const composite = await demander.mintToken(random(), random(), [leaf]);
      await refuses(other.grant(leaf, composite, 0), 'ERC721IncorrectOwner');
      await refuses(owner.grant(stranger, composite, 0), 'TokenNotChild');
      await refuses(owner.grant(leaf, composite, 1_000_000_000), 'TokenGrantExpiryPast');
      await refuses(owner.revoke(leaf, composite), 'TokenGrantNotLive');
      await refuses(other.revoke(leaf, composite), 'ERC721IncorrectOwner');
    });

    it('activates only with every grant, and names the first that is missing', async () => {
      const [owner, demander] = await Promise.all([bank(), third()]);
      const leaves = [await owner.mintToken(random(), random(), []), await owner.mintToken(random(), random(), [])];
      const composite = await demander.mintToken(random(), random(), leaves);
      await owner.grant(leaves[0]!, composite, 0);
      const error = await refuses(demander.activate(composite), 'TokenGrantNotLive');
      expect(error.details['args']).toMatchObject({ child: leaves[1], composite });
      expect(error.hint).toContain(`dt asset grant --dt ${leaves[1]} --cdt ${composite}`);
      await owner.grant(leaves[1]!, composite, 0);
      await demander.activate(composite);
      expect((await world.openReader().tokenTree(composite)).tokens[0]?.activated).toBe(true);
    });

    it('asks for a grant also of who owns both, and of composites like of leaves', async () => {
      const [owner, union] = await Promise.all([bank(), third()]);
      const leaf = await owner.mintToken(random(), random(), []);
      const inner = await union.mintToken(random(), random(), [leaf]);
      const outer = await union.mintToken(random(), random(), [inner]);
      await refuses(union.activate(outer), 'TokenNotActivated', 'TokenGrantNotLive');
      await owner.grant(leaf, inner, 0);
      await union.activate(inner);
      await refuses(union.activate(outer), 'TokenGrantNotLive');
      await union.grant(inner, outer, 0);
      await union.activate(outer);
      const { tokens } = await world.openReader().tokenTree(outer);
      expect(tokens.map((token) => token.id)).toEqual([outer, inner, leaf]);
    });

    it('adds a job and shows all that decides about it', async () => {
      const [one, two, demander] = await Promise.all([bank(), bank(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([one, two], demander);
      const job = await demander.addJob(task, algorithm);
      const tree = await world.openReader().jobTree(job);
      expect(tree.job).toEqual({
        id: job,
        task: { id: task, demander: demander.signer, open: true },
        algorithm,
        demander: demander.signer,
      });
      expect(tree.tokens.map((token) => token.id)).toEqual([algorithm, ...leaves]);
      expect(tree.tokens.map((token) => token.owner)).toEqual([demander.signer, one.signer, two.signer]);
    });

    it('refuses a job for a stranger, on a closed task, and without a live grant', async () => {
      const [owner, demander, stranger] = await Promise.all([bank(), third(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([owner], demander);
      await refuses(stranger.addJob(task, algorithm), 'TaskIncorrectDemander');
      const foreign = await stranger.createTask('Mine', '');
      await refuses(stranger.addJob(foreign, algorithm), 'ERC721IncorrectOwner');
      await refuses(stranger.closeTask(task), 'TaskIncorrectDemander');
      await refuses(demander.addJob(task + 1_000_000n, algorithm), 'TaskUnknown');
      await owner.revoke(leaves[0]!, algorithm);
      await refuses(demander.addJob(task, algorithm), 'TokenGrantNotLive');
      await owner.grant(leaves[0]!, algorithm, 0);
      await demander.addJob(task, algorithm);
      await demander.closeTask(task);
      await refuses(demander.addJob(task, algorithm), 'TaskNotOpen');
    });

    it('refuses a job once a grant has expired', async () => {
      const [owner, demander] = await Promise.all([bank(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([owner], demander);
      const until = (await world.openReader().tokenTree(algorithm)).now + world.grantSeconds;
      await owner.grant(leaves[0]!, algorithm, until);
      await demander.addJob(task, algorithm);
      await world.advance(world.grantSeconds + 1);
      await refuses(demander.addJob(task, algorithm), 'TokenGrantNotLive');
      const tree = await world.openReader().tokenTree(algorithm);
      expect(tree.now).toBeGreaterThanOrEqual(until);
    });

    it('takes reports of the owner of a leaf of the job; a success is final', async () => {
      const [owner, other, demander] = await Promise.all([bank(), bank(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([owner, other], demander);
      const jobId = await demander.addJob(task, algorithm);
      const path = [algorithm, leaves[0]!];
      await refuses(report(other, { jobId, path, state: 'succeeded' }), 'JobIncorrectReporter');
      await report(owner, { jobId, path, state: 'failed' });
      await report(owner, { jobId, path, state: 'refused' });
      await report(owner, { jobId, path, state: 'canceled' });
      expect(await report(owner, { jobId, path, state: 'succeeded' })).toMatch(/^0x[0-9a-f]{64}$/);
      await refuses(report(owner, { jobId, path, state: 'failed' }), 'JobAlreadySucceeded');
      await report(other, { jobId, path: [algorithm, leaves[1]!], state: 'refused' });
    });

    it('refuses reports for leaves elsewhere, for composites, and for unknown jobs', async () => {
      const [owner, demander] = await Promise.all([bank(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([owner], demander);
      const elsewhere = await owner.mintToken(random(), random(), []);
      const jobId = await demander.addJob(task, algorithm);
      const state = 'succeeded';
      await refuses(report(owner, { jobId, state, path: [algorithm, elsewhere] }), 'TokenNotChild');
      await refuses(report(owner, { jobId, state, path: [leaves[0]!] }), 'JobPathIncorrect');
      await refuses(report(owner, { jobId, state, path: [] }), 'JobPathIncorrect');
      await refuses(report(demander, { jobId, state, path: [algorithm] }), 'TokenIsComposite');
      await refuses(report(owner, { jobId: jobId + 1_000_000n, state, path: [algorithm, leaves[0]!] }), 'JobUnknown');
    });

    it('anchors receipts of any organization under a root, each root once', async () => {
      const [one, two] = await Promise.all([bank(), register(world, {})]);
      const reader = world.openReader();
      const [root, other] = [random(), random()];
      const transaction = await one.anchorReceipts({ root, count: 3, reports: [] });
      const anchored = await reader.anchorOf(one.signer, root);
      expect(anchored).toMatchObject({ count: 3, transaction });
      expect(anchored?.time).toBeGreaterThan(1_600_000_000);
      expect(await reader.anchorOf(two.signer, root)).toBeUndefined();
      await two.anchorReceipts({ root, count: 1, reports: [] });
      await one.anchorReceipts({ root: other, count: 1, reports: [] });
      expect(await reader.anchorOf(one.signer, root)).toEqual(anchored);
      await refuses(one.anchorReceipts({ root, count: 1, reports: [] }), 'ReceiptsAlreadyAnchored');
      await refuses((await world.openLedger()).anchorReceipts({ root, count: 1, reports: [] }), 'OrganizationUnknown');
    });

    it('refuses an anchor for one bad report, says which ones are bad, and takes the rest', async () => {
      const [owner, stranger, demander] = await Promise.all([bank(), bank(), third()]);
      const { leaves, algorithm, task } = await algorithmOver([owner, stranger], demander);
      const jobs = [await demander.addJob(task, algorithm), await demander.addJob(task, algorithm)];
      const [first, second] = jobs.map((jobId) => ({
        jobId,
        path: [algorithm, leaves[0]!],
        state: 'succeeded' as const,
        receipt: random(),
      }));
      const foreign = { ...first!, path: [algorithm, leaves[1]!] };
      const batch = { root: random(), count: 3, reports: [first!, foreign, second!] };
      await refuses(owner.anchorReceipts(batch), 'JobIncorrectReporter');
      expect(await world.openReader().anchorOf(owner.signer, batch.root)).toBeUndefined();
      const [none, refusal, neither] = await owner.refusals(batch.reports);
      expect([none, neither]).toEqual([undefined, undefined]);
      expect(refusal?.details).toMatchObject({ name: 'JobIncorrectReporter', args: { job: `${jobs[0]}`, token: leaves[1] } });
      await owner.anchorReceipts({ ...batch, reports: [first!, second!] });
      const late = await owner.refusals([second!]);
      expect(late.map((each) => each?.details['name'])).toEqual(['JobAlreadySucceeded']);
      expect(await owner.refusals([])).toEqual([]);
    });

    it('says which token or job is unknown', async () => {
      const token = unknownToken();
      await expect(world.openReader().tokenTree(token)).rejects.toMatchObject({ code: 'DT_ASSET_UNKNOWN', details: { id: token } });
      await expect(world.openReader().jobTree(4_000_000n)).rejects.toMatchObject({
        code: 'DT_JOB_UNKNOWN',
        details: { id: 4_000_000n },
      });
    });

    it('keeps writes that one account sends at once apart', async () => {
      const owner = await bank();
      const salts = Array.from({ length: 8 }, random);
      const ids = await Promise.all(salts.map((salt) => owner.mintToken(salt, random(), [])));
      expect(ids).toEqual(salts.map((salt) => owner.deriveId('token', owner.signer, salt)));
    });

    it('tells everything in events, in order', async () => {
      const reader = world.openReader();
      const from = (await reader.head()).block + 1;
      const [owner, demander] = await Promise.all([bank(), third()]);
      const operator = await world.admin.publishOperator(random(), random());
      await world.admin.updateOperator(operator, random());
      await world.admin.retireOperator(operator);
      const { leaves, algorithm, task } = await algorithmOver([owner], demander);
      const job = await demander.addJob(task, algorithm);
      const [receipt, path] = [random(), [algorithm, leaves[0]!]];
      const anchor = random();
      await owner.anchorReceipts({ root: anchor, count: 2, reports: [{ jobId: job, path, state: 'succeeded', receipt }] });
      await owner.revoke(leaves[0]!, algorithm);
      await demander.closeTask(task);

      const events = await reader.events(from);
      expect(events.map((event) => event.kind)).toEqual([
        ...['organization', 'organization', 'operator-published', 'operator-updated', 'operator-retired', 'token-minted', 'token-minted'],
        ...['granted', 'activated', 'task-created', 'job-added', 'receipts-anchored', 'job-reported', 'revoked', 'task-closed'],
      ]);
      const order = events.map((event) => event.block * 1000 + event.logIndex);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(new Set(order).size).toBe(order.length);
      const reported = { job, token: leaves[0], state: 'succeeded', receipt, reporter: owner.signer, anchor };
      expect(find(events, 'job-reported')).toMatchObject(reported);
      expect(find(events, 'receipts-anchored')).toMatchObject({ by: owner.signer, root: anchor, count: 2 });
      expect(find(events, 'granted')).toMatchObject({ child: leaves[0], composite: algorithm, until: 0 });
      expect(find(events, 'task-created')).toMatchObject({ task, demander: demander.signer, name: 'Risk model' });
      expect(events.filter((event) => event.kind === 'token-minted').at(-1)).toMatchObject({ token: algorithm, children: leaves });
      for (const event of events) expect(event.time).toBeGreaterThan(1_600_000_000);
    });

    it('watches: first what was, then what comes, each once', async () => {
      const reader = world.openReader();
      const from = (await reader.head()).block + 1;
      const owner = await bank();
      const before = await owner.mintToken(random(), random(), []);
      const told: LedgerEvent[] = [];
      const ending = new AbortController();
      const heard = until(told);
      const watching = reader.watch(
        (event) => {
          told.push(event);
          heard.notify();
        },
        { fromBlock: from, signal: ending.signal },
      );
      await heard.length(2);
      const after = await owner.mintToken(random(), random(), []);
      const last = await owner.mintToken(random(), random(), []);
      await heard.length(4);
      ending.abort();
      await watching;
      expect(told.map((event) => (event.kind === 'token-minted' ? event.token : event.kind))).toEqual([
        'organization',
        before,
        after,
        last,
      ]);
      reader.close();
    });
  });
}

function until(list: readonly unknown[]) {
  const waiting = new Set<() => void>();
  return {
    notify: () => {
      for (const check of waiting) check();
    },
    length: (length: number) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (list.length < length) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** The write is refused with one of these errors of the contracts, and the refusal says what to do. */
export async function refuses(write: Promise<unknown>, ...names: string[]): Promise<ToolkitError> {
  const error = await write.then(
    () => new Error(`it was accepted, not refused with ${names.join(' or ')}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ToolkitError)) throw error;
  expect(error.code, error.message).toBe('DT_CHAIN_REVERTED');
  expect(names).toContain(error.details['name']);
  expect(error.hint).not.toContain('{');
  return error;
}

/** One report under a root of its own. */
const report = (ledger: Ledger, said: Omit<JobReport, 'receipt'>): Promise<Bytes32> =>
  ledger.anchorReceipts({ root: random(), count: 1, reports: [{ ...said, receipt: random() }] });

async function register(world: LedgerWorld, roles: Partial<OrganizationInput>): Promise<Ledger> {
  const ledger = await world.openLedger();
  await world.admin.registerOrganization(organization(ledger.signer, roles));
  return ledger;
}

function organization(address: Address, roles: Partial<OrganizationInput>): OrganizationInput {
  const texts = { name: 'First National Bank of Somewhere', description: 'Retail bank', url: 'https://tracer.bank.example.org' };
  return { address, ...texts, linkKey: random(), isAggregator: false, isProvider: false, ...roles };
}

const random = (): Bytes32 => parseBytes32(`0x${randomBytes(32).toString('hex')}`);
const unknownToken = (): TokenId => `dt:ownership:${randomBytes(32).toString('hex')}` as TokenId;

function find<Kind extends LedgerEvent['kind']>(events: readonly LedgerEvent[], kind: Kind) {
  return events.find((event) => event.kind === kind);
}
