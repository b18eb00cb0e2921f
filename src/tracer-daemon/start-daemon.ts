import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Wallet } from 'ethers/wallet';
import { pino } from 'pino';
import { FollowingIndex } from '../catalog/index/following-index.js';
import { openDocuments } from '../catalog/open-documents.js';
import { FilesystemStore } from '../content-store/filesystem-store.js';
import { parseAddress } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import { Keystore } from '../keys/keystore.js';
import { parseAddressBook } from '../ledger/evm/address-book.js';
import { connectLedger } from '../ledger/evm/connect-ledger.js';
import { createSandbox } from '../sandbox/create-sandbox.js';
import { probeSandbox } from '../sandbox/probe-sandbox.js';
import { type Sandbox, sandboxLevels } from '../sandbox/sandbox.js';
import { createApp } from './app.js';
import type { DaemonConfig } from './config/config.js';
import type { DaemonDeps } from './deps.js';
import { JointDesk } from './joint/joint-desk.js';
import { type DaemonLinks, openLinks } from './links/open-links.js';
import { startWorker, type Worker } from './pipeline/worker.js';
import { createMetrics, type Metrics } from './routes/status.js';
import { openStore } from './store/open-store.js';

export interface RunningDaemon {
  readonly url: string;
  readonly deps: DaemonDeps;
  /** Takes no more requests, gives running jobs back to the queue, ends every process of theirs. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Of the key; from the variable that the configuration names when missing. */
  readonly password?: string;
  readonly onRoundTrip?: () => void;
  /** Takes the JSON lines of the log in the place of stderr. */
  readonly log?: { write(line: string): void };
  /** In the place of the strongest that this machine has. */
  readonly sandbox?: Sandbox;
}

/**
 * Puts a daemon together from its configuration and starts it.
 * @throws DT_CONFIG_*, DT_KEY_*, DT_LINK_KEY_FILE, DT_PORT_BUSY, DT_SANDBOX_UNAVAILABLE, DT_STORE_*
 */
export async function startDaemon(config: DaemonConfig, options: StartOptions = {}): Promise<RunningDaemon> {
  const log = pino(
    { level: config.log.level, redact: ['*.privateKey', '*.password', '*.signature', '*.authorization'] },
    options.log ?? pino.destination(2),
  );
  await mkdir(config.jobs.folder, { recursive: true, mode: 0o700 });
  const wallet = await openKey(config, options.password);
  const sandbox = options.sandbox ?? (await openSandbox(config));
  const password = config.store.passwordEnv === undefined ? undefined : process.env[config.store.passwordEnv];
  const store = await openStore({ url: config.store.url, exclusive: true, ...(password !== undefined && { password }) });
  const metrics = createMetrics({ store });
  const addressBook = parseAddressBook(await readText(config.chain.addressBook));
  const ledger = connectLedger({
    rpcUrl: config.chain.rpcUrl,
    addressBook,
    signer: wallet,
    ...(config.chain.wsUrl !== undefined && { wsUrl: config.chain.wsUrl }),
    onRoundTrip: () => {
      metrics.roundTrip();
      options.onRoundTrip?.();
    },
  });
  const index = new FollowingIndex({
    ledger,
    folder: join(dirname(config.jobs.folder), 'index'),
    onNotice: (text) => log.warn(text),
  });
  const documents = openDocuments(index, config.content);
  const organization = parseAddress(wallet.address);
  let links: DaemonLinks;
  try {
    links = await openLinks({ config, organization, ledger, registry: metrics.registry, log, now: Date.now });
  } catch (error) {
    ledger.close();
    index.close();
    await store.close();
    throw error;
  }
  const base: Omit<DaemonDeps, 'joint'> = {
    config,
    organization,
    domain: ledger.ref,
    signer: wallet,
    ledger,
    index,
    content: documents.all,
    localContent: documents.local,
    records: new FilesystemStore(join(dirname(config.jobs.folder), 'records')),
    store,
    sandbox,
    links: links.hub,
    linkKeyState: links.keyState,
    commitmentKey: await commitmentKey(config),
    log,
    now: Date.now,
  };
  const joint = new JointDesk(base);
  const deps: DaemonDeps = { ...base, joint };
  let worker: Worker | undefined;
  let server: Server | undefined;
  const close = async (): Promise<void> => {
    server?.close();
    await worker?.stop();
    joint.stop();
    server?.closeAllConnections();
    await links.close();
    await sandbox.stop();
    ledger.close();
    index.close();
    await store.close();
  };
  try {
    server = await listen(config, deps, metrics);
    links.start();
    // The first to ask for a lineage need not wait for all of the chain; afterwards each reads what is new.
    index.read(() => undefined).catch((error) => log.warn({ err: error }, 'the chain could not be indexed yet'));
    // Stable over restarts, and different for each daemon that shares a database, also when they share the job folder of one machine.
    worker = await startWorker(deps, `${hostname()}:${config.listen.port}:${config.jobs.folder}`);
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const host = config.listen.host.includes(':') ? `[${config.listen.host}]` : config.listen.host;
  const url = `${config.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
  log.info({ url, organization: deps.organization, sandbox: sandbox.level }, 'the daemon listens');
  return { url, deps, close };
}

/** The strongest sandbox of this machine that is not below the configured level. @throws DT_SANDBOX_UNAVAILABLE naming what is missing */
async function openSandbox(config: DaemonConfig): Promise<Sandbox> {
  const probe = await probeSandbox();
  const acceptable = sandboxLevels.slice(sandboxLevels.indexOf(config.sandbox.level));
  const level = acceptable.findLast((candidate) => probe.levels[candidate].available) ?? config.sandbox.level;
  return createSandbox({ level, probe });
}

async function openKey(config: DaemonConfig, given: string | undefined): Promise<Wallet> {
  const { key } = config;
  const password = given ?? process.env[key.passwordEnv];
  if (password === undefined) throw new ToolkitError('DT_INPUT_MISSING', { what: `The password of the daemon's key (${key.passwordEnv})` });
  if (key.file !== undefined) return new Keystore(dirname(key.file)).openFile(key.file, password);
  return new Keystore(key.keystore).open(key.name, password);
}

const COMMITMENT_KEY_BYTES = 32;

/** Made once; without it nobody can test guesses of small files against the commitments in receipts. */
async function commitmentKey(config: DaemonConfig): Promise<Uint8Array> {
  const file = join(dirname(config.jobs.folder), 'commitment.key');
  const found = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (found?.length === COMMITMENT_KEY_BYTES) return found;
  // Written aside first: a kill in between must not leave an empty file, a key that everybody knows.
  const made = `${file}.${process.pid}.tmp`;
  const handle = await open(made, 'w', 0o600);
  try {
    await handle.writeFile(randomBytes(COMMITMENT_KEY_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(made, file);
  return readFile(file);
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ToolkitError('DT_CONFIG_NO_ADDRESS_BOOK', { path }, error);
  });
}

async function listen(config: DaemonConfig, deps: DaemonDeps, metrics: Metrics): Promise<Server> {
  const app = createApp(deps, metrics);
  const server =
    config.tls === undefined
      ? createServer(app)
      : createTlsServer({ cert: await readFile(config.tls.certFile), key: await readFile(config.tls.keyFile), minVersion: 'TLSv1.3' }, app);
  // A body is small; one that dribbles in holds its connection no longer than this.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  const { host, port } = config.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new ToolkitError('DT_PORT_BUSY', { port, host }, error) : error),
    );
    server.listen(port, host, resolve);
  });
  return server as Server;
}
