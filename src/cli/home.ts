import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseTokenId, type TokenId } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';

/** What the commands of one machine remember. Nothing here is secret but the key files, and those are encrypted. */
export interface Settings {
  readonly rpcUrl?: string;
  /** Name of the key that is used when none is given. */
  readonly key?: string;
  /** IPFS gateways to read documents from, besides the daemons that the chain names. */
  readonly gateways?: readonly string[];
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

/** What may follow an @. @throws DT_INPUT_INVALID */
export function parseName(name: string): string {
  if (NAME.test(name)) return name;
  throw new ToolkitError('DT_INPUT_INVALID', { what: 'The name', reason: 'use letters, digits, dot, dash and underscore, at most 64' });
}

/** The folder of the command line: `--home`, DT_HOME, or ~/.dt. */
export class Home {
  readonly folder: string;

  constructor(folder: string | undefined) {
    this.folder = resolve(folder ?? join(homedir(), '.dt'));
  }

  readonly path = (...parts: string[]): string => join(this.folder, ...parts);

  async settings(): Promise<Settings> {
    return this.readJson('settings.json') ?? {};
  }

  async saveSettings(change: Settings): Promise<void> {
    await this.writeJson('settings.json', { ...(await this.settings()), ...change });
  }

  /** `@name` or a token id into a token id. @throws DT_NAME_UNKNOWN, DT_INPUT_INVALID */
  async tokenId(text: string, what: string): Promise<TokenId> {
    if (text.startsWith('dt:')) return parseTokenId(text, what);
    if (!text.startsWith('@')) {
      const isName = (await this.names())[text] !== undefined;
      const reason = isName ? `did you mean @${text}?` : 'expected dt:ownership: and 64 hex digits, or @ and a name given with --as';
      throw new ToolkitError('DT_INPUT_INVALID', { what, reason });
    }
    const id = (await this.names())[text.slice(1)];
    if (id === undefined) throw new ToolkitError('DT_NAME_UNKNOWN', { name: text, where: what });
    return parseTokenId(id, what);
  }

  /** One file a name, so that commands that save at once do not undo each other. No name is inherited from an object. */
  async names(): Promise<Readonly<Record<string, string>>> {
    const files = await readdir(this.path('names')).catch(() => []);
    const read = files
      .filter((name) => NAME.test(name))
      .map(async (name) => [name, (await readFile(this.path('names', name), 'utf8')).trim()] as const);
    return Object.assign(Object.create(null), Object.fromEntries(await Promise.all(read)));
  }

  /** Lets later commands and attribute files say `@name`. A name may be given anew. */
  async saveName(name: string, id: TokenId): Promise<void> {
    await this.write(join('names', parseName(name)), `${id}\n`);
  }

  /** Every string `@name` in an attribute file, keys too, becomes the token id it stands for. @throws DT_NAME_UNKNOWN */
  async withoutNames(value: unknown, file: string): Promise<unknown> {
    const names = await this.names();
    const replace = (text: string): string => {
      if (!/^@[a-z0-9][a-z0-9._-]*$/i.test(text)) return text;
      const id = names[text.slice(1)];
      if (id === undefined) throw new ToolkitError('DT_NAME_UNKNOWN', { name: text, where: file });
      return id;
    };
    const walk = (inner: unknown): unknown => {
      if (typeof inner === 'string') return replace(inner);
      if (Array.isArray(inner)) return inner.map(walk);
      if (typeof inner !== 'object' || inner === null) return inner;
      return Object.fromEntries(Object.entries(inner).map(([key, item]) => [replace(key), walk(item)]));
    };
    return walk(value);
  }

  /** Small, and read by every command: to hand it to another thread takes longer than to read it. */
  private readJson<T>(name: string): T | undefined {
    const file = this.path(name);
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      throw new ToolkitError('DT_INPUT_FILE', { path: file, reason: message }, error);
    }
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new ToolkitError('DT_INPUT_JSON', { what: file, reason: (error as Error).message }, error);
    }
  }

  private writeJson(name: string, value: unknown): Promise<void> {
    return this.write(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Whole or not at all, whoever writes at the same time. */
  private async write(name: string, text: string): Promise<void> {
    const file = this.path(name);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = join(dirname(file), `.${randomUUID()}.tmp`);
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, file);
  }
}
