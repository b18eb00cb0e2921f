import type { ToolkitError } from '../../errors/toolkit-error.js';
import { findAnvilBinary } from './anvil-binary.js';
import { ChainEngine } from './chain-engine.js';
import { ChainFolder } from './chain-folder.js';
import { EMBEDDED_CHAIN_ID } from './genesis.js';
import { RpcRouter } from './rpc-router.js';
import { RpcServer } from './rpc-server.js';
import { TransactionQueue } from './transaction-queue.js';

export interface EmbeddedChainOptions {
  /** Holds the whole chain; created when it is not there. One running chain per folder. */
  readonly folder: string;
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedChain {
  readonly url: string;
  readonly wsUrl: string;
  readonly chainId: number;
  /** Resolves when the chain has ended: undefined after close(), the error when its engine could not be brought back. */
  readonly stopped: Promise<ToolkitError | undefined>;
  /** Finishes what was taken, writes a checkpoint, ends anvil and frees port and folder. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * A chain for one machine or one small network, with no fees. A transaction that was answered survives a kill at any instant,
 * and after a start every block has the hash that it had. Installs no signal handlers: its program calls close().
 *
 * Time: blocks carry the wall clock in seconds and never go back. Calls on `latest` and `pending` see the wall clock as
 * block.timestamp, too, however old the newest block is; `eth_getBlockByNumber('latest')` gives that block's own time.
 * @throws DT_CHAIN_FOLDER_BUSY, DT_PORT_BUSY, DT_INPUT_INVALID, DT_CHAIN_JOURNAL_CORRUPT, DT_CHAIN_ENGINE_FAILED
 */
export async function startEmbeddedChain(options: EmbeddedChainOptions): Promise<EmbeddedChain> {
  const onLog = options.onLog ?? (() => undefined);
  const folder = await ChainFolder.lock(options.folder);
  try {
    const engine = new ChainEngine(folder, findAnvilBinary(), onLog);
    const queue = new TransactionQueue(engine, onLog);
    const router = new RpcRouter(engine, queue);
    let open: (parts: { engine: ChainEngine; router: RpcRouter }) => void = () => undefined;
    const ready = new Promise<{ engine: ChainEngine; router: RpcRouter }>((resolve) => {
      open = resolve;
    });
    const server = await RpcServer.listen(options.host, options.port, ready);
    try {
      folder.describe(`, http://${server.authority}`);
      await engine.start();
      await queue.start();
      open({ engine, router });
    } catch (error) {
      await engine.stop();
      await server.close();
      throw error;
    }
    return running(folder, engine, queue, server, onLog);
  } catch (error) {
    folder.release();
    throw error;
  }
}

function running(
  folder: ChainFolder,
  engine: ChainEngine,
  queue: TransactionQueue,
  server: RpcServer,
  onLog: (line: string) => void,
): EmbeddedChain {
  let ending: Promise<void> | undefined;
  let report: (error: ToolkitError | undefined) => void = () => undefined;
  const stopped = new Promise<ToolkitError | undefined>((resolve) => {
    report = resolve;
  });
  const end = async (error: ToolkitError | undefined) => {
    try {
      await queue.stop();
      await server.close();
      await engine.stop();
    } finally {
      folder.release();
      report(error);
    }
  };
  void engine.failed.then((error) => {
    onLog(error.message);
    ending ??= end(error);
  });
  const close = () => {
    ending ??= end(undefined);
    return ending;
  };
  const { authority } = server;
  return { url: `http://${authority}`, wsUrl: `ws://${authority}`, chainId: EMBEDDED_CHAIN_ID, stopped, close };
}
