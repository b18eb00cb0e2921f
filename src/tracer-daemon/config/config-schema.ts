import { sandboxLevels } from '../../sandbox/sandbox.js';
import { jointHelps, logLevels } from './config.js';

/** One key. `description` is its line in the example file, `expected` is what an error asks for. */
export interface KeySchema {
  readonly type: string | readonly string[];
  readonly description: string;
  readonly expected: string;
  /** Missing: the key is optional, and `examples` shows one value in a commented line. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: object;
}

export interface SectionSchema {
  readonly type: 'object';
  readonly description: string;
  readonly additionalProperties: false;
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, KeySchema | SectionSchema>>;
  readonly default?: object;
}

const count = (minimum: number, maximum: number, value: number, description: string): KeySchema => ({
  type: 'integer',
  minimum,
  maximum,
  default: value,
  description,
  expected: `a whole number from ${minimum} to ${maximum}`,
});

const path = (value: string, description: string): KeySchema => ({
  type: 'string',
  minLength: 1,
  default: value,
  description,
  expected: 'a path',
});

const url = (format: 'http-url' | 'ws-url', description: string, rest: Pick<KeySchema, 'default' | 'examples'>): KeySchema => ({
  type: 'string',
  format,
  description,
  expected: `a URL that starts with ${format === 'ws-url' ? 'ws:// or wss://' : 'http:// or https://'}, without user and password`,
  ...rest,
});

const variable = (description: string, rest: Pick<KeySchema, 'default' | 'examples'>): KeySchema => ({
  type: 'string',
  format: 'variable-name',
  description,
  expected: 'the name of an environment variable: letters, digits and _',
  ...rest,
});

const section = (description: string, properties: SectionSchema['properties']): SectionSchema => ({
  type: 'object',
  description,
  additionalProperties: false,
  properties,
  default: {},
});

/** The one table of the configuration: validation, defaults, the example file and the names of the variables all come from it. */
export const configSchema: SectionSchema = {
  type: 'object',
  description: '',
  additionalProperties: false,
  properties: {
    listen: section('Where the daemon takes requests.', {
      host: {
        type: 'string',
        minLength: 1,
        default: '127.0.0.1',
        description: 'Address to listen on; 0.0.0.0 is every interface.',
        expected: 'an IP address or a host name',
      },
      port: count(0, 65_535, 8090, 'TCP port; 0 takes any free one.'),
    }),
    tls: {
      type: 'object',
      description: 'Serve HTTPS directly; leave it out behind a proxy that does.',
      additionalProperties: false,
      required: ['certFile', 'keyFile'],
      properties: {
        certFile: {
          type: 'string',
          minLength: 1,
          description: 'Certificate chain, PEM.',
          expected: 'a path',
          examples: ['./tls/cert.pem'],
        },
        keyFile: { type: 'string', minLength: 1, description: 'Its private key, PEM.', expected: 'a path', examples: ['./tls/key.pem'] },
      },
    },
    trustProxy: {
      type: ['boolean', 'integer'],
      minimum: 0,
      maximum: 10,
      default: false,
      description: 'Proxies in front whose X-Forwarded-For is believed: false, their number, or true for any (then clients can lie).',
      expected: 'true, false, or the number of proxies from 0 to 10',
    },
    chain: section('The ledger.', {
      rpcUrl: url('http-url', 'JSON-RPC endpoint of the chain.', { default: 'http://127.0.0.1:8545' }),
      wsUrl: url('ws-url', 'WebSocket endpoint, by which events are pushed; without it they are asked for.', {
        examples: ['ws://127.0.0.1:8545'],
      }),
      addressBook: path('./address-book.json', 'Addresses of the contracts, as `dt chain deploy` wrote them.'),
    }),
    key: section('The key of the organization: a name in a keystore, or one encrypted file. Never the key itself.', {
      keystore: path('./keys', 'Folder of encrypted keys, as `dt key create` makes them.'),
      name: {
        type: 'string',
        format: 'key-name',
        default: 'daemon',
        description: 'Name of the key in it.',
        expected: 'a name of letters, digits, dot, dash and underscore, at most 64',
      },
      file: {
        type: 'string',
        minLength: 1,
        description: 'Instead of keystore and name: one encrypted key file (Web3 Secret Storage).',
        expected: 'a path',
        examples: ['./key.json'],
      },
      passwordEnv: variable('Environment variable that holds the password of the key.', { default: 'DT_PASSWORD' }),
    }),
    store: section('The state of the daemon: runs, used nonces, held data, audit.', {
      url: {
        type: 'string',
        format: 'store-url',
        default: 'sqlite:./state.db',
        description: 'sqlite:<file> for one daemon, postgres://user@host/database for several that share the work.',
        expected: 'sqlite:<path>, or postgres://user@host/database without a password (store.passwordEnv names its variable)',
      },
      passwordEnv: variable('Environment variable that holds the password of the database.', { examples: ['DT_STORE_PASSWORD'] }),
    }),
    content: section('Where public documents come from.', {
      folder: path('./content', 'Folder of the documents that this daemon has.'),
      gateways: {
        type: 'array',
        items: { type: 'string', format: 'http-url' },
        default: [],
        description: 'Other places to ask, in this order: base URLs of daemons or IPFS gateways. Answers are checked against their digest.',
        expected: 'a list of URLs that start with http:// or https://, without user and password',
      },
      kuboApi: url('http-url', 'RPC API of an own IPFS node (kubo), to which new documents are sent too.', {
        examples: ['http://127.0.0.1:5001'],
      }),
    }),
    jobs: section('The queue.', {
      folder: path('./jobs', 'Folder of the job folders: inputs, logs, outputs.'),
      concurrency: count(1, 256, 2, 'Jobs that run at the same time.'),
      queueLimit: count(0, 1_000_000, 100, 'Jobs that wait at most; more are answered 429.'),
      attempts: count(1, 100, 2, 'Times that a job is started at most when the daemon is stopped under it.'),
      retentionHours: count(1, 876_000, 168, 'Hours until the folder of a finished job is deleted; its receipt stays.'),
      requestMaxBytes: count(1024, 1_073_741_824, 1_048_576, 'Bytes of the largest request that is read.'),
      requestMaxAgeSeconds: count(1, 86_400, 300, 'Seconds that a signed request may be valid for at most.'),
    }),
    datasets: section('The data.', {
      roots: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        default: ['./data'],
        description: 'Folders that may be read for data tokens; symbolic links are followed first and must end inside.',
        expected: 'a list of paths',
      },
    }),
    sandbox: section('What stands between an operator and this machine.', {
      level: {
        type: 'string',
        enum: sandboxLevels,
        default: 'namespaces',
        description:
          'Weakest level that is accepted: process (no isolation, for tests), namespaces, or bubblewrap (with a syscall filter).',
        expected: `one of ${sandboxLevels.join(', ')}`,
      },
      limits: section('Hard limits of each job.', {
        wallSeconds: count(1, 31_536_000, 3600, 'Seconds from start to end.'),
        cpuSeconds: count(1, 31_536_000, 3600, 'Seconds of processor time.'),
        memoryMiB: count(16, 16_777_216, 2048, 'Memory of all its processes.'),
        processes: count(1, 100_000, 64, 'Processes and threads at once.'),
        diskMiB: count(1, 16_777_216, 1024, 'Everything that it writes: outputs and scratch space.'),
        logMiB: count(1, 1024, 8, 'Log that is kept; the rest is cut.'),
      }),
    }),
    link: section('Links to the daemons of other organizations, for joint computations.', {
      listen: {
        type: 'object',
        description: 'Where they can call; leave it out for a daemon that nobody can reach: it then calls them. One end must be reachable.',
        additionalProperties: false,
        required: ['port'],
        properties: {
          host: {
            type: 'string',
            minLength: 1,
            description: 'Address to listen on; without it that of listen.host.',
            expected: 'an IP address or a host name',
            examples: ['0.0.0.0'],
          },
          port: {
            type: 'integer',
            minimum: 0,
            maximum: 65_535,
            description: 'TCP port; 0 takes any free one, which peers learn from this daemon. Choose one to open it in a firewall.',
            expected: 'a whole number from 0 to 65535',
            examples: [0],
          },
        },
      },
      advertise: {
        type: 'string',
        format: 'host-port',
        description:
          'Where peers reach it from outside, behind NAT or a forwarded port; without it the host of its URL on chain and its port.',
        expected: 'host:port, without anything else',
        examples: ['bank-a.example:9443'],
      },
      keyFile: {
        type: 'string',
        minLength: 1,
        description: 'Key of the links, made at the first start; its public half is put on chain. Without it: link.key beside jobs.folder.',
        expected: 'a path',
        examples: ['./link.key'],
      },
      graceSeconds: count(1, 86_400, 30, 'Seconds that a computation outlives a broken connection.'),
      peerWaitSeconds: count(1, 86_400, 60, 'Seconds that a joint job waits for the daemons of its other parties.'),
      direct: {
        type: 'boolean',
        default: true,
        description:
          'Operators of joint jobs get a TCP connection to each peer, where the sandbox filters system calls: twice as fast. false: all goes through the daemons.',
        expected: 'true or false',
      },
    }),
    joint: section('Joint computations with other organizations.', {
      help: {
        type: 'string',
        enum: jointHelps,
        default: 'own',
        description:
          'Jobs that this daemon helps with as a party without data: own (asked for by its own organization), any (of anybody), none.',
        expected: `one of ${jointHelps.join(', ')}`,
      },
      limit: count(1, 256, 16, 'Joint runs at the same time; they do not count in jobs.concurrency, since they wait for each other.'),
    }),
    grants: section('Grants on the chain.', {
      auto: {
        type: 'boolean',
        default: true,
        description: 'Grant by itself when every constraint is met; false: the owner grants by hand with `dt asset grant`.',
        expected: 'true or false',
      },
      maxDays: {
        type: 'integer',
        minimum: 1,
        maximum: 36_500,
        description: 'Longest grant that is given automatically, in days; without it a grant may have no end.',
        expected: 'a whole number from 1 to 36500',
        examples: [365],
      },
    }),
    auditors: {
      type: 'array',
      items: { type: 'string', format: 'address' },
      default: [],
      description:
        'Addresses that may read receipts, decisions, evidence and states of all runs, as a regulator does; never outputs or logs.',
      expected: 'a list of addresses, 0x and 40 hex digits each',
    },
    web: section('The page that the daemon serves, and who is signed in there.', {
      origins: {
        type: 'array',
        items: { type: 'string', format: 'http-url' },
        default: [],
        description:
          'Addresses under which browsers open the page, besides localhost and listen.host: the one of the proxy in front. Use https between machines.',
        expected: 'a list of URLs that start with http:// or https://, without user and password',
      },
      idleMinutes: count(1, 10_080, 60, 'Minutes until a session ends that is not used.'),
      sessionHours: count(1, 720, 12, 'Hours until a session ends in any case.'),
    }),
    log: section('What the daemon says about itself, as JSON lines on stderr; on a terminal as lines for people.', {
      level: {
        type: 'string',
        enum: logLevels,
        default: 'info',
        description: `One of ${logLevels.join(', ')}.`,
        expected: `one of ${logLevels.join(', ')}`,
      },
    }),
  },
};

export const isSection = (schema: KeySchema | SectionSchema): schema is SectionSchema => 'properties' in schema;

export interface ConfigKey {
  /** `sandbox.limits.memoryMiB` */
  readonly key: string;
  /** `DT_DAEMON__SANDBOX__LIMITS__MEMORY_MIB` */
  readonly variable: string;
  readonly schema: KeySchema;
}

/** Every key that takes a value, in the order of the example file. For the reference in the documentation as well. */
export function configKeys(schema: SectionSchema = configSchema, above: readonly string[] = []): readonly ConfigKey[] {
  return Object.entries(schema.properties).flatMap(([name, inner]): readonly ConfigKey[] => {
    const names = [...above, name];
    if (isSection(inner)) return configKeys(inner, names);
    return [{ key: names.join('.'), variable: variableOf(names), schema: inner }];
  });
}

export const VARIABLE_PREFIX = 'DT_DAEMON__';

const variableOf = (names: readonly string[]): string =>
  VARIABLE_PREFIX + names.map((name) => name.replace('MiB', 'Mib').replace(/[A-Z]/g, '_$&').toUpperCase()).join('__');
