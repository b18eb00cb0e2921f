import type { Address } from '../../documents/ids.js';
import type { SandboxLevel } from '../../sandbox/sandbox.js';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** Whose joint jobs this daemon helps with as a party without data: those that its own organization asked for, any, none. */
export const jointHelps = ['own', 'any', 'none'] as const;
export type JointHelp = (typeof jointHelps)[number];
export type LogLevel = (typeof logLevels)[number];

/**
 * The configuration of one daemon, complete and frozen: defaults are filled in, every path is absolute. It holds no secret; keys and
 * passwords are named, not given. What each key means stands in config-schema.ts, from which the example file is written.
 */
export interface DaemonConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** As express takes it: false, true (any proxy), or the number of proxies in front. */
  readonly trustProxy: boolean | number;
  readonly chain: { readonly rpcUrl: string; readonly wsUrl: string | undefined; readonly addressBook: string };
  readonly key: KeyReference;
  readonly store: { readonly url: string; readonly passwordEnv: string | undefined };
  readonly content: { readonly folder: string; readonly gateways: readonly string[]; readonly kuboApi: string | undefined };
  readonly jobs: {
    readonly folder: string;
    readonly concurrency: number;
    readonly queueLimit: number;
    readonly attempts: number;
    readonly retentionHours: number;
    readonly requestMaxBytes: number;
    readonly requestMaxAgeSeconds: number;
  };
  readonly datasets: { readonly roots: readonly string[] };
  readonly sandbox: {
    readonly level: SandboxLevel;
    readonly limits: {
      readonly wallSeconds: number;
      readonly cpuSeconds: number;
      readonly memoryMiB: number;
      readonly processes: number;
      readonly diskMiB: number;
      readonly logMiB: number;
    };
  };
  readonly link: {
    /** Absent: this daemon cannot be called, it only calls. */
    readonly listen: { readonly host: string; readonly port: number } | undefined;
    /** host:port under which peers reach `listen`, where it is another. */
    readonly advertise: string | undefined;
    readonly keyFile: string;
    readonly graceSeconds: number;
    readonly peerWaitSeconds: number;
    /** Whether operators may get connections of their own to their peers' operators. */
    readonly direct: boolean;
  };
  readonly joint: { readonly help: JointHelp; readonly limit: number };
  readonly grants: { readonly auto: boolean; readonly maxDays: number | undefined };
  /** Who may read what proves what happened, in all runs. */
  readonly auditors: readonly Address[];
  /** The daemon's page. */
  readonly web: { readonly origins: readonly string[]; readonly idleMinutes: number; readonly sessionHours: number };
  readonly log: { readonly level: LogLevel };
}

/** A key of a keystore folder by its name, or one encrypted key file (Web3 Secret Storage, version 3). */
export type KeyReference =
  | { readonly keystore: string; readonly name: string; readonly file?: undefined; readonly passwordEnv: string }
  | { readonly file: string; readonly keystore?: undefined; readonly name?: undefined; readonly passwordEnv: string };

type DeepPartial<T> = T extends readonly unknown[] | string | number | boolean | undefined
  ? T
  : { readonly [K in keyof T]?: DeepPartial<T[K]> };

/** What a configuration file may say: any part of it, paths relative to the file. */
export type ConfigValues = Omit<DeepPartial<DaemonConfig>, 'key'> & {
  readonly key?: { readonly keystore?: string; readonly name?: string; readonly file?: string; readonly passwordEnv?: string };
};
