import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseAddress } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { SandboxLevel } from '../sandbox/sandbox.js';
import { exampleConfig } from '../tracer-daemon/config/example-config.js';
import { DEFAULT_RPC } from './connect.js';
import type { Home } from './home.js';

export interface InitDaemonParameters {
  readonly config: string;
  readonly key: string;
  readonly port: number;
  /** Where the daemons of other organizations call for joint computations; 0: any free port. */
  readonly linkPort: number;
  readonly host: string;
  readonly data: readonly string[];
  /** Addresses that may read receipts and evidence. */
  readonly auditors?: readonly string[];
  readonly sandbox?: SandboxLevel | undefined;
  readonly force: boolean;
  readonly rpc?: string | undefined;
  readonly addressBook?: string | undefined;
}

/** Writes the commented configuration; keys and the address book stay where the command line has them. @returns the absolute path */
export async function initDaemon(home: Home, parameters: InitDaemonParameters): Promise<string> {
  const file = resolve(parameters.config);
  const text = exampleConfig({
    listen: { host: parameters.host, port: parameters.port },
    chain: {
      rpcUrl: parameters.rpc ?? (await home.settings()).rpcUrl ?? DEFAULT_RPC,
      addressBook: resolve(parameters.addressBook ?? home.path('address-book.json')),
    },
    key: { keystore: home.path('keystore'), name: parameters.key },
    link: { listen: { port: parameters.linkPort } },
    ...(parameters.data.length > 0 && { datasets: { roots: parameters.data.map((folder) => resolve(folder)) } }),
    ...(parameters.auditors &&
      parameters.auditors.length > 0 && { auditors: parameters.auditors.map((text) => parseAddress(text, '--auditor')) }),
    ...(parameters.sandbox !== undefined && { sandbox: { level: parameters.sandbox } }),
  });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600, flag: parameters.force ? 'w' : 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new ToolkitError('DT_CONFIG_EXISTS', { path: file }, error);
    throw new ToolkitError('DT_INPUT_FILE', { path: file, reason: error.message }, error);
  });
  return file;
}
