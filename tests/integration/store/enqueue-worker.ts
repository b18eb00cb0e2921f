// Writes without end and prints what is committed, one line each; the test kills it.
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';
import { address, newRun } from './store-fixtures.js';

const [url, first] = process.argv.slice(2);
if (url === undefined || first === undefined) throw new Error('usage: enqueue-worker <url> <first job id>');
const store = await openStore({ url, exclusive: true });
for (let jobId = BigInt(first); ; jobId += 1n) {
  const added = await store.runs.enqueue(newRun(jobId), { queueLimit: 1_000_000 });
  if (added.outcome !== 'accepted') throw new Error(`job ${jobId}: ${added.outcome}`);
  process.stdout.write(`run ${added.run.runId} ok\n`);
  const nonce = `nonce-${jobId}`;
  if (!(await store.nonces.useNonce({ signer: address('alice'), nonce, expiresAt: Date.now() + 86_400_000 }))) throw new Error(nonce);
  process.stdout.write(`nonce ${nonce} ok\n`);
  // Lets the pipe and a signal through.
  await new Promise((resolve) => setImmediate(resolve));
}
