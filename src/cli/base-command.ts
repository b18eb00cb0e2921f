import { Command, Flags, type Interfaces } from '@oclif/core';
import type { ActionContext, ReaderContext } from '../actions/action-context.js';
import type { ContentStore } from '../content-store/content-store.js';
import type { TokenId } from '../documents/ids.js';
import { ToolkitError, toToolkitError } from '../errors/toolkit-error.js';
import { Home } from './home.js';
import type { ProgressView } from './progress.js';
import { withSameFlags } from './same-flags.js';

export type BaseFlags<T extends typeof Command> = Interfaces.InferredFlags<(typeof BaseCommand)['baseFlags'] & T['flags']>;
export type BaseArgs<T extends typeof Command> = Interfaces.InferredArgs<T['args']>;

export interface Choice {
  readonly name: string;
  readonly value: string;
}

/**
 * What all commands share: the home folder, the chain, the key, progress, errors and JSON. The one place where the command line's parts are
 * put together; everything heavy is imported when it is needed, since starting up is what every command pays.
 */
export abstract class BaseCommand<T extends typeof Command> extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    home: Flags.directory({ description: 'folder of keys, settings and documents', env: 'DT_HOME', helpGroup: 'GLOBAL' }),
    rpc: Flags.string({ description: 'JSON-RPC URL of the chain', env: 'DT_RPC', helpGroup: 'GLOBAL' }),
    'address-book': Flags.file({
      description: 'file with the addresses of the contracts',
      env: 'DT_ADDRESS_BOOK',
      aliases: ['address_book'],
      helpGroup: 'GLOBAL',
    }),
  };

  protected flags!: BaseFlags<T>;
  protected args!: BaseArgs<T>;
  protected home!: Home;
  private view: ProgressView | undefined;
  private readonly closing: (() => void)[] = [];

  override async init(): Promise<void> {
    await super.init();
    const { flags, args } = await this.parse({
      flags: this.ctor.flags,
      baseFlags: this.ctor.baseFlags,
      enableJsonFlag: this.ctor.enableJsonFlag,
      args: this.ctor.args,
      strict: this.ctor.strict,
    });
    this.flags = flags as BaseFlags<T>;
    this.args = args as BaseArgs<T>;
    this.home = new Home(this.flags.home);
  }

  /** Whether a person sits in front of it and can be asked. */
  protected get interactive(): boolean {
    return process.stdin.isTTY === true && process.stdout.isTTY === true && !this.jsonEnabled();
  }

  /** A flag that was left out: asked for on a terminal, an error anywhere else. */
  protected async ask(value: string | undefined, message: string, flag: string): Promise<string> {
    if (value !== undefined && value !== '') return value;
    if (!this.interactive) throw new ToolkitError('DT_INPUT_MISSING', { what: `--${flag}` });
    const { input } = await import('@inquirer/prompts');
    return input({ message, validate: (text) => text.trim() !== '' || 'Please give a value.' });
  }

  /** The same with a list to choose from, which is loaded only when somebody is asked; an empty list: any text. */
  protected async askChoice(
    value: string | undefined,
    message: string,
    flag: string,
    load: () => Promise<readonly Choice[]>,
  ): Promise<string> {
    if (value !== undefined && value !== '') return value;
    if (!this.interactive) throw new ToolkitError('DT_INPUT_MISSING', { what: `--${flag}` });
    const choices = await load();
    if (choices.length === 0) return this.ask(undefined, message, flag);
    const { select } = await import('@inquirer/prompts');
    return select({ message, choices: [...choices] });
  }

  protected tokenId(text: string, what: string): Promise<TokenId> {
    return this.home.tokenId(text, what);
  }

  /** A ledger to read from, and the documents: local store first, then gateways and the daemons that the chain names. */
  protected async reader(): Promise<ReaderContext> {
    const { connectReader, disconnect } = await import('./connect.js');
    const connected = await connectReader(this.home, this.flags, (text) => this.warn(text));
    this.closing.push(() => disconnect(connected));
    return connected;
  }

  /** The documents of this machine alone, for what has to do without the chain. */
  protected async localContent(): Promise<ContentStore> {
    return (await import('./connect.js')).openLocalContent(this.home);
  }

  /** The same with the caller's key. */
  protected async signing(flags: { key?: string | undefined; 'private-key'?: string | undefined }): Promise<ActionContext> {
    const { openSigner } = await import('./open-signer.js');
    const { connectSigner, disconnect } = await import('./connect.js');
    const signer = await openSigner(this.home, flags, { interactive: this.interactive, warn: (text) => this.warn(text) });
    const connected = await connectSigner(this.home, this.flags, signer, (text) => this.warn(text));
    this.closing.push(() => disconnect(connected));
    return { ...connected, signer, now: () => new Date(), onProgress: (await this.progress()).onProgress };
  }

  protected async progress(): Promise<ProgressView> {
    const { plainProgress, silentProgress, terminalProgress } = await import('./progress.js');
    // Some terminals tell no width; listr2 would put one letter on a line.
    const drawable = process.stdout.isTTY === true && process.stdout.columns >= 20;
    this.view ??= this.jsonEnabled() ? silentProgress() : drawable ? terminalProgress() : plainProgress();
    return this.view;
  }

  /**
   * Says what may come next: a command, typed as this one was, and what is to be said of it. DT_HINTS=off silences it for scripts, and for
   * the demo, whose story goes on by itself.
   */
  async next(command: string, rest = ''): Promise<void> {
    if (process.env['DT_HINTS'] === 'off') return;
    const { renderNext } = await import('./render-text.js');
    this.log(renderNext(this.again(command) + rest));
  }

  /** A command with the flags that this one was given: its key, its home, its chain. Sentences stay as they are. */
  again(command: string): string {
    if (!command.startsWith('dt ')) return command;
    const knows = (id: string, flag: string): boolean => {
      const known = this.config.findCommand(id);
      return known !== undefined && (flag in known.flags || flag in BaseCommand.baseFlags);
    };
    return withSameFlags(command, this.flags, knows);
  }

  /** One thing that takes a moment, with nothing to list: a spinner on a terminal, silence anywhere else. */
  protected async wait<R>(text: string, work: Promise<R>): Promise<R> {
    if (!this.interactive) return work;
    const { default: ora } = await import('ora');
    const spinner = ora({ text, stream: process.stderr }).start();
    try {
      return await work;
    } finally {
      spinner.stop();
    }
  }

  /** Waits until all progress is drawn, so that results do not run into it. */
  protected async drawn(): Promise<void> {
    await this.view?.finish();
    this.view = undefined;
  }

  protected override async finally(error: Error | undefined): Promise<void> {
    for (const close of this.closing) close();
    await super.finally(error);
  }

  protected override async catch(thrown: Error & { oclif?: { exit?: number }; exitCode?: number }): Promise<void> {
    await this.drawn();
    // oclif's own: --help, wrong flags, ctrl-c in a prompt.
    if (thrown.name === 'ExitPromptError') return this.exit(130);
    if (thrown.oclif !== undefined && !(thrown instanceof ToolkitError)) {
      if (!this.jsonEnabled() || thrown.oclif.exit === 0) throw thrown;
      this.logJson({
        error: { code: 'DT_INPUT_INVALID', message: thrown.message, hint: `Run \`dt ${this.id?.replaceAll(':', ' ')} --help\`.` },
      });
      process.exitCode = 2;
      return;
    }
    const error = toToolkitError(thrown);
    process.exitCode = error.exitCode;
    if (this.jsonEnabled()) return this.logJson(this.toErrorJson(error));
    const { renderError } = await import('./render-error.js');
    process.stderr.write(renderError(error, process.env['DT_DEBUG'] !== undefined));
  }

  protected override toErrorJson(error: unknown): unknown {
    return { error: plain(toToolkitError(error)) };
  }

  protected override toSuccessJson(result: unknown): unknown {
    return plain(result);
  }
}

/** The flags of every command that signs. */
export const signingFlags = {
  key: Flags.string({ description: 'name of the key to sign with (see `dt key list`)', env: 'DT_KEY', helpGroup: 'KEY' }),
  'private-key': Flags.string({
    description: 'private key in hex; visible to other users of this machine, so for tests only',
    env: 'DT_PRIVATE_KEY',
    aliases: ['private_key'],
    helpGroup: 'KEY',
  }),
};

/** JSON has no bigint and no Map. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value ?? {}, (_, inner) =>
      typeof inner === 'bigint' ? inner.toString() : inner instanceof Map ? Object.fromEntries(inner) : inner,
    ),
  );
}
