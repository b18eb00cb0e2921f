import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Wallet } from 'ethers/wallet';
import type { ActionContext } from '../../src/actions/action-context.js';
import { mintAsset } from '../../src/actions/asset/mint-asset.js';
import { publishOperator } from '../../src/actions/system/publish-operator.js';
import { registerOrganization } from '../../src/actions/system/register-organization.js';
import { FollowingIndex } from '../../src/catalog/index/following-index.js';
import { openDocuments } from '../../src/catalog/open-documents.js';
import type { JsonObject } from '../../src/documents/canonical.js';
import { parseAssetAttributes } from '../../src/documents/ddo/ddo.js';
import type { ReleaseTerms } from '../../src/documents/ddo/release-terms.js';
import { type Address, parseAddress, type TokenId } from '../../src/documents/ids.js';
import type { OperatorRuntime } from '../../src/documents/operator/operator.js';
import { Keystore } from '../../src/keys/keystore.js';
import { type EmbeddedChain, startEmbeddedChain } from '../../src/ledger/embedded-chain/embedded-chain.js';
import { type AddressBook, serializeAddressBook } from '../../src/ledger/evm/address-book.js';
import { connectLedger } from '../../src/ledger/evm/connect-ledger.js';
import { deployToolkit } from '../../src/ledger/evm/deploy-toolkit.js';
import { openLinkKey } from '../../src/peers/link/link-key.js';
import type { ConfigValues } from '../../src/tracer-daemon/config/config.js';
import { exampleConfig } from '../../src/tracer-daemon/config/example-config.js';
import { loadConfig } from '../../src/tracer-daemon/config/load-config.js';
import { type RunningDaemon, startDaemon } from '../../src/tracer-daemon/start-daemon.js';

export interface Role {
  readonly name: string;
  readonly wallet: Wallet;
  readonly address: Address;
  readonly context: ActionContext;
  readonly folder: string;
}

export interface BankRole extends Role {
  daemon: RunningDaemon;
  /** Writes a file that the daemon may read, and returns its path. */
  data(name: string, text: string): Promise<string>;
  /** Starts the daemon again after `daemon.close()`, on its old port and folder. */
  restart(): Promise<void>;
}

export interface BankProcess extends Omit<BankRole, 'daemon'> {
  readonly url: string;
  readonly pid: () => number;
  /** All that it wrote to stdout and stderr. */
  readonly said: () => string;
  /** Resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

export const PASSWORD = 'a password for tests';

export interface World {
  readonly folder: string;
  chain: EmbeddedChain;
  /** Starts the chain again after `chain.close()`, on its old port and folder. */
  restartChain(): Promise<void>;
  readonly addressBook: AddressBook;
  readonly system: Role;
  role(name: string): Promise<Role>;
  bank(name: string, config?: ConfigValues): Promise<BankRole>;
  /** The same before anybody has told the chain of it. */
  unregistered(name: string, config?: ConfigValues): Promise<BankRole>;
  /** The same with its daemon as a process of its own, which a test may kill. */
  bankProcess(name: string, config?: ConfigValues): Promise<BankProcess>;
  close(): Promise<void>;
}

/** A chain with the contracts, a system administrator, and as many organizations and daemons as a test asks for: all of it real. */
export async function createWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-world-'));
  const closing: (() => Promise<unknown> | unknown)[] = [];
  const chain = await startEmbeddedChain({ folder: join(folder, 'chain'), port: 0, host: '127.0.0.1' });
  closing.push(() => world.chain.close());
  const admin = Wallet.createRandom();
  const addressBook = await deployToolkit({ rpcUrl: chain.url, signer: admin, admin: admin.address });
  const bookFile = join(folder, 'address-book.json');
  await writeFile(bookFile, serializeAddressBook(addressBook));

  const roleOf = async (name: string, wallet: Wallet): Promise<Role> => {
    const home = join(folder, name);
    await mkdir(home, { recursive: true });
    const ledger = connectLedger({ rpcUrl: chain.url, addressBook, signer: wallet });
    closing.push(() => ledger.close());
    const index = new FollowingIndex({ ledger, folder: join(home, 'index') });
    closing.push(() => index.close());
    const content = openDocuments(index, { folder: join(home, 'content'), gateways: [] }).all;
    const context: ActionContext = { ledger, content, index, signer: wallet, now: () => new Date(), onProgress: () => undefined };
    return { name, wallet, address: parseAddress(wallet.address), context, folder: home };
  };
  const system = await roleOf('system', new Wallet(admin.privateKey));

  const role = async (name: string): Promise<Role> => {
    const made = await roleOf(name, new Wallet(Wallet.createRandom().privateKey));
    await registerOrganization(system.context, { address: made.address, name });
    return made;
  };

  /** Key, folders and configuration of a bank; the daemon is the caller's to start. */
  const prepare = async (name: string, config: ConfigValues) => {
    const made = await roleOf(name, new Wallet(Wallet.createRandom().privateKey));
    const home = made.folder;
    await mkdir(join(home, 'data'), { recursive: true });
    await new Keystore(join(home, 'keystore')).import('owner', made.wallet.privateKey, PASSWORD);
    const file = join(home, 'daemon.yaml');
    const configure = async (port: number): Promise<string> => {
      const values: ConfigValues = {
        ...config,
        // As a new daemon has it; `link: { listen: undefined }` makes one that nobody can call.
        link: { listen: { port: 0 }, ...config.link },
        listen: { host: '127.0.0.1', port },
        chain: { rpcUrl: chain.url, addressBook: bookFile, ...config.chain },
        key: { keystore: join(home, 'keystore'), name: 'owner' },
        datasets: { roots: [join(home, 'data')] },
        log: { level: 'fatal', ...config.log },
      };
      await writeFile(file, exampleConfig(values));
      return file;
    };
    const data = async (fileName: string, text: string): Promise<string> => {
      const path = join(home, 'data', fileName);
      await writeFile(path, text);
      return path;
    };
    /** With its link key, which is otherwise put there by the daemon once it sees that it is registered. */
    const register = async (url: string): Promise<void> => {
      const { publicKey: linkKey } = await openLinkKey(join(home, 'link.key'));
      await registerOrganization(system.context, { address: made.address, name, url, linkKey });
    };
    return { made, configure, data, register };
  };

  const bank = async (name: string, config: ConfigValues = {}): Promise<BankRole> => {
    const { self, register } = await startBank(name, config);
    await register(self.daemon.url);
    return self;
  };
  const unregistered = async (name: string, config: ConfigValues = {}): Promise<BankRole> => (await startBank(name, config)).self;
  const startBank = async (name: string, config: ConfigValues) => {
    const { made, configure, data, register } = await prepare(name, config);
    const start = async (port: number): Promise<RunningDaemon> =>
      startDaemon(await loadConfig(await configure(port), {}), { password: PASSWORD });
    const daemon = await start(0);
    const port = Number(new URL(daemon.url).port);
    const self: BankRole = {
      ...made,
      daemon,
      data,
      restart: async () => {
        self.daemon = await start(port);
      },
    };
    closing.push(() => self.daemon.close());
    return { self, register };
  };

  const bankProcess = async (name: string, config: ConfigValues = {}): Promise<BankProcess> => {
    const { made, configure, data, register } = await prepare(name, config);
    let child: ChildProcess;
    let said = '';
    const start = async (port: number): Promise<string> => {
      const args = [fileURLToPath(new URL('../../bin/run.js', import.meta.url)), 'daemon', 'run', '--config', await configure(port)];
      const started = spawn(process.execPath, args, {
        env: { PATH: process.env['PATH'], DT_PASSWORD: PASSWORD, DT_HOME: made.folder },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      return new Promise<string>((resolve, reject) => {
        for (const stream of [started.stdout, started.stderr])
          stream.on('data', (chunk: Buffer) => {
            said += chunk.toString('utf8');
            const url = /^Daemon of 0x\w+ at (\S+),/m.exec(said.slice(from))?.[1];
            if (url !== undefined) resolve(url);
          });
        const from = said.length;
        started.once('exit', (code) => reject(new Error(`the daemon ended with ${code}: ${said.slice(from)}`)));
      });
    };
    const url = await start(0);
    await register(url);
    const kill = async (signal: NodeJS.Signals): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    };
    closing.push(() => kill('SIGKILL'));
    const restart = async (): Promise<void> => {
      await start(Number(new URL(url).port));
    };
    return { ...made, data, url, pid: () => child.pid ?? 0, said: () => said, kill, restart };
  };

  const world: World = {
    folder,
    chain,
    restartChain: async () => {
      world.chain = await startEmbeddedChain({ folder: join(folder, 'chain'), port: Number(new URL(chain.url).port), host: '127.0.0.1' });
    },
    addressBook,
    system,
    role,
    bank,
    unregistered,
    bankProcess,
    close: async () => {
      for (const close of closing.reverse()) await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** Publishes code as an operator with the name of its metadata. */
export async function publish(
  world: World,
  name: string,
  operation: string,
  params: JsonObject,
  runtime: OperatorRuntime = 'node',
): Promise<TokenId> {
  const content = { metadata: { main: { type: 'Operation', name } }, runtime, operation, params };
  return (await publishOperator(world.system.context, { content })).tid;
}

export interface LeafOptions {
  readonly name: string;
  readonly services: readonly (ReleaseTerms & {
    readonly index: string;
    readonly template: TokenId;
    readonly constraint: JsonObject;
    readonly path?: string;
  })[];
  readonly storePath?: string;
}

export async function mintLeaf(bank: Role, options: LeafOptions): Promise<TokenId> {
  const attributes = parseAssetAttributes({
    metadata: { main: { type: 'Dataset', name: options.name } },
    services: options.services.map(({ index, template, constraint, path, ...terms }) => ({
      ...terms,
      index,
      endpoint: '',
      descriptor: { template, constraint },
      attributes: path === undefined ? {} : { path },
    })),
  });
  return (await mintAsset(bank.context, { attributes, ...(options.storePath !== undefined && { storePath: options.storePath }) })).dt;
}

/** Attributes of a composite with one service; `workflow` by child. */
export function compositeAttributes(
  name: string,
  type: 'Algorithm' | 'Dataset',
  workflow: Record<TokenId, { service: string; constraint: JsonObject }>,
) {
  return parseAssetAttributes({
    metadata: { main: { type, name } },
    child_dts: Object.keys(workflow),
    services: [{ index: 'default', endpoint: '', descriptor: { workflow }, attributes: {} }],
  });
}

export const copySamples = (to: string): Promise<void> =>
  cp(new URL('../../samples', import.meta.url), join(to, 'samples'), { recursive: true });
export const readText = (path: string): Promise<string> => readFile(path, 'utf8');
