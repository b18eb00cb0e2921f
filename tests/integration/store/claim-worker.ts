// A daemon process in small: claims until the queue is empty, prints each run that it got, takes it to its end.
import { openStore } from '../../../src/tracer-daemon/store/open-store.js';

const [url, workerId] = process.argv.slice(2);
if (url === undefined || workerId === undefined) throw new Error('usage: claim-worker <url> <worker id>');
const store = await openStore({ url });
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
for (;;) {
  const claimed = await store.runs.claim({ workerId, leaseMs: 60_000 });
  if (claimed === undefined) break;
  process.stdout.write(`${claimed.run.runId}\n`);
  const steps = [
    await store.runs.advance(claimed.lease, 'running'),
    await store.events.append(claimed.lease, [{ kind: 'log', time: 1, payload: { stream: 'stdout', text: workerId } }]),
    await store.runs.advance(claimed.lease, 'releasing'),
    await store.runs.settle(claimed.lease, { outcome: 'succeeded' }),
    await store.runs.finish(claimed.lease, undefined),
  ];
  if (steps.includes(false)) throw new Error(`lost the lease of ${claimed.run.runId}`);
}
await store.close();
process.exit(0);
