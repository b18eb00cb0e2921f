import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { parseAddress } from '../../documents/ids.js';
import { fileProblem } from '../../errors/file-problem.js';
import { nearestWord } from '../../errors/nearest-word.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import { isHostPort } from '../../peers/link/link-address.js';
import { parseStoreUrl } from '../store/store-url.js';
import type { ConfigValues, DaemonConfig, KeyReference } from './config.js';
import { type Environment, type Override, readOverrides } from './config-environment.js';
import { type ConfigProblem, configError } from './config-problem.js';
import { configKeys, configSchema, isSection, type KeySchema, type SectionSchema } from './config-schema.js';

/**
 * Reads the configuration file, lays the variables over it (they win), checks everything and fills in the defaults. Relative paths,
 * also those in variables, start at the folder of the file.
 * @throws DT_CONFIG_MISSING, DT_INPUT_FILE, DT_CONFIG_INVALID with every problem: file and line, key, what was expected
 */
export async function loadConfig(path: string, environment: Environment): Promise<DaemonConfig> {
  const file = resolve(path);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new ToolkitError('DT_CONFIG_MISSING', { path: file }, error);
    throw new ToolkitError('DT_INPUT_FILE', { path: file, reason: fileProblem(error) }, error);
  });
  return parseConfig(text, file, environment);
}

/** The same for a text that is already there. `file` is absolute; it need not exist. @throws DT_CONFIG_INVALID */
export function parseConfig(text: string, file: string, environment: Environment): DaemonConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const where = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  throwIfAny([...document.errors, ...document.warnings].map(({ pos, message }) => syntaxProblem(where(pos[0]), message)));
  const values = plainValues(document, file);
  if (!isRecord(values)) throw configError([{ where: `${file}:1`, key: '(file)', reason: 'expected keys and values, like `listen:`' }]);

  const { overrides, problems } = readOverrides(environment);
  for (const override of overrides) place(values, override);
  const locate = (path: readonly string[]): Pick<ConfigProblem, 'where' | 'key'> => {
    const override = overrides.find(({ key }) => key === path.join('.'));
    if (override !== undefined) return { where: 'environment', key: override.variable };
    return { where: where(offsetOf(document, path)), key: path.join('.') };
  };
  const twoKeys = [...keyProblem(values, locate), ...linkProblem(values, locate)];
  const validate = compiledSchema();
  if (!validate(values)) throwIfAny([...problems, ...twoKeys, ...(validate.errors ?? []).flatMap((error) => schemaProblem(error, locate))]);
  else if (problems.length + twoKeys.length === 0) return freeze(completed(values, dirname(file)));
  throwIfAny([...problems, ...twoKeys]);
  throw new ToolkitError('DT_BUG_UNEXPECTED', { reason: 'a configuration was refused without a problem' });
}

/** An alias without its anchor, or a file that would grow beyond measure by its aliases, is found only here. */
function plainValues(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw configError([syntaxProblem(`${file}:1`, error instanceof Error ? error.message : String(error))]);
  }
}

/** What has passed the schema: defaults are there, optional keys may be missing. */
type CheckedValues = { -readonly [K in keyof Omit<DaemonConfig, 'key' | 'tls' | 'link'>]: DaemonConfig[K] } & {
  link: {
    listen?: { host?: string; port: number };
    advertise?: string;
    keyFile?: string;
    graceSeconds: number;
    peerWaitSeconds: number;
    direct: boolean;
  };
  tls?: { certFile: string; keyFile: string };
  key: { keystore: string; name: string; file?: string; passwordEnv: string };
};

/** Compiled for the first configuration that is read: that takes a hundred times as long as a check. */
const compiledSchema = (() => {
  let validate: ValidateFunction<CheckedValues> | undefined;
  return (): ValidateFunction<CheckedValues> => {
    if (validate !== undefined) return validate;
    const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, useDefaults: true, verbose: true, formats });
    ajv.addVocabulary(['expected']);
    validate = ajv.compile<CheckedValues>(configSchema);
    return validate;
  };
})();

const formats = {
  'http-url': (text: string) => isUrl(text, ['http:', 'https:']),
  'ws-url': (text: string) => isUrl(text, ['ws:', 'wss:']),
  'variable-name': /^[A-Za-z_][A-Za-z0-9_]*$/,
  'key-name': /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  'store-url': isStoreUrl,
  'host-port': isHostPort,
  address: /^0x[0-9a-fA-F]{40}$/,
};

function isUrl(text: string, protocols: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  return protocols.includes(protocol) && username === '' && password === '' && hostname !== '';
}

function isStoreUrl(text: string): boolean {
  if (text.startsWith('sqlite:')) return text.length > 'sqlite:'.length && !text.includes('\0');
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.password === '' && !url.searchParams.has('password');
}

function completed(values: CheckedValues, folder: string): DaemonConfig {
  const at = (path: string): string => resolve(folder, path);
  const { tls, chain, key, store, content, grants, link, joint } = values;
  const jobsFolder = at(values.jobs.folder);
  const sqlite = store.url.startsWith('sqlite:') ? store.url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') : undefined;
  const url = sqlite === undefined ? store.url : `sqlite:${at(sqlite)}`;
  parseStoreUrl(url);
  const reference: KeyReference =
    key.file === undefined
      ? { keystore: at(key.keystore), name: key.name, passwordEnv: key.passwordEnv }
      : { file: at(key.file), passwordEnv: key.passwordEnv };
  return {
    listen: values.listen,
    tls: tls && { certFile: at(tls.certFile), keyFile: at(tls.keyFile) },
    trustProxy: values.trustProxy,
    chain: { rpcUrl: chain.rpcUrl, wsUrl: chain.wsUrl, addressBook: at(chain.addressBook) },
    key: reference,
    store: { url, passwordEnv: store.passwordEnv },
    content: { folder: at(content.folder), gateways: content.gateways, kuboApi: content.kuboApi },
    jobs: { ...values.jobs, folder: jobsFolder },
    datasets: { roots: values.datasets.roots.map(at) },
    sandbox: values.sandbox,
    link: {
      listen: link.listen && { host: link.listen.host ?? values.listen.host, port: link.listen.port },
      advertise: link.advertise,
      keyFile: link.keyFile === undefined ? join(dirname(jobsFolder), 'link.key') : at(link.keyFile),
      graceSeconds: link.graceSeconds,
      peerWaitSeconds: link.peerWaitSeconds,
      direct: link.direct,
    },
    joint: { help: joint.help, limit: joint.limit },
    grants: { auto: grants.auto, maxDays: grants.maxDays },
    auditors: values.auditors.map((address) => parseAddress(address)),
    web: { ...values.web, origins: values.web.origins.map((origin) => new URL(origin).origin) },
    log: values.log,
  };
}

/** Before the defaults are filled in: whoever names a file must not name a keystore as well. */
function keyProblem(
  values: Record<string, unknown>,
  locate: (path: readonly string[]) => Pick<ConfigProblem, 'where' | 'key'>,
): readonly ConfigProblem[] {
  const key: ConfigValues['key'] = isRecord(values['key']) ? values['key'] : {};
  if (key.file === undefined || (key.keystore === undefined && key.name === undefined)) return [];
  return [{ ...locate(['key', 'file']), reason: 'expected either file, or keystore and name, not both' }];
}

/** An address for peers to call where nothing listens. */
function linkProblem(
  values: Record<string, unknown>,
  locate: (path: readonly string[]) => Pick<ConfigProblem, 'where' | 'key'>,
): readonly ConfigProblem[] {
  const link = isRecord(values['link']) ? values['link'] : {};
  if (link['advertise'] === undefined || link['listen'] !== undefined) return [];
  return [{ ...locate(['link', 'advertise']), reason: 'expected link.listen as well: nothing listens where it sends them' }];
}

function schemaProblem(
  error: ErrorObject,
  locate: (path: readonly string[]) => Pick<ConfigProblem, 'where' | 'key'>,
): readonly ConfigProblem[] {
  const path = error.instancePath.split('/').slice(1);
  // A wrong item of a list is a problem of the list's key, at the line of the item.
  const names = path.filter((name) => !/^\d+$/.test(name));
  const { key } = locate(names);
  if (error.keyword === 'additionalProperties') {
    const name = String(error.params['additionalProperty']);
    return [{ ...locate([...path, name]), reason: `there is no such key${suggestion(names, name)}` }];
  }
  if (error.keyword === 'required') {
    const missing = [...names, String(error.params['missingProperty'])];
    return [{ where: locate(path).where, key: missing.join('.'), reason: `it is missing; expected ${expectedOf(missing)}` }];
  }
  return [{ where: locate(path).where, key, reason: `expected ${expectedOf(names)}${gotOf(error.data)}` }];
}

function schemaOf(names: readonly string[]): KeySchema | SectionSchema | undefined {
  return names.reduce<KeySchema | SectionSchema | undefined>(
    (at, name) => (at !== undefined && isSection(at) ? at.properties[name] : undefined),
    configSchema,
  );
}

function expectedOf(names: readonly string[]): string {
  const schema = schemaOf(names);
  if (schema === undefined) return 'something else';
  return isSection(schema) ? `the keys ${Object.keys(schema.properties).join(', ')}` : schema.expected;
}

/** Numbers and truth values are shown; a text may be a secret in the wrong place. */
function gotOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return `, got ${String(value)}`;
  if (typeof value === 'string') return ', got another text';
  return `, got ${Array.isArray(value) ? 'a list' : 'keys and values'}`;
}

function suggestion(section: readonly string[], name: string): string {
  const at = schemaOf(section);
  const sibling = nearestWord(name, at !== undefined && isSection(at) ? Object.keys(at.properties) : []);
  if (sibling !== undefined) return `; did you mean ${[...section, sibling].join('.')}?`;
  const last = (key: string): string => key.slice(key.lastIndexOf('.') + 1);
  const keys = configKeys().map(({ key }) => key);
  const elsewhere = nearestWord(name, keys.map(last));
  if (elsewhere !== undefined) return `; did you mean ${keys.find((key) => last(key) === elsewhere)}?`;
  return at !== undefined && isSection(at) ? `; known here: ${Object.keys(at.properties).join(', ')}` : '';
}

/** Puts the value of a variable in its place. Where the file has no section there, the schema says so. */
function place(values: Record<string, unknown>, { key, value }: Override): void {
  const names = key.split('.');
  const last = names.pop() ?? '';
  let at = values;
  for (const name of names) {
    const inner = Object.hasOwn(at, name) ? at[name] : {};
    if (!isRecord(inner)) return;
    at[name] = inner;
    at = inner;
  }
  if (value === undefined) delete at[last];
  else at[last] = value;
}

/** Of the key itself where it has one in the file, else of what it should stand in. */
function offsetOf(document: Document.Parsed, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    if (parent !== null && typeof parent === 'object' && 'items' in parent && Array.isArray(parent.items)) {
      for (const [index, item] of parent.items.entries()) {
        if (isNode(item) && String(index) === name) return item.range?.[0] ?? 0;
        if (typeof item === 'object' && item !== null && 'key' in item && isNode(item.key) && String(item.key) === name)
          return item.key.range?.[0] ?? 0;
      }
    }
  }
  return 0;
}

const syntaxProblem = (where: string, message: string): ConfigProblem => ({
  where,
  key: '(syntax)',
  reason: message.split(' at line ')[0] ?? message,
});

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** In the order of the file, then those of the environment. */
function throwIfAny(problems: readonly ConfigProblem[]): void {
  const lineOf = ({ where }: ConfigProblem): number => Number(/:(\d+)$/.exec(where)?.[1] ?? Number.MAX_SAFE_INTEGER);
  const [first, ...rest] = [...problems].sort((a, b) => lineOf(a) - lineOf(b));
  if (first !== undefined) throw configError([first, ...rest]);
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}
