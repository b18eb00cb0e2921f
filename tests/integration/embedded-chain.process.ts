import { startEmbeddedChain } from '../../src/ledger/embedded-chain/embedded-chain.js';

/** A chain in a process of its own, so that a test can kill it: prints its URL; SIGTERM stops it as `dt chain start` does. */
const [folder = ''] = process.argv.slice(2);
const chain = await startEmbeddedChain({ folder, port: 0, host: '127.0.0.1', onLog: (line) => console.error(line) });
process.on('SIGTERM', () => void chain.close());
console.log(`url ${chain.url}`);
await chain.stopped;
