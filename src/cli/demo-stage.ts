import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import chalk from 'chalk';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type ChildProgram, startProgram } from './child-program.js';

export interface StageParameters {
  /** Of the package: bin/ lies in it. */
  readonly root: string;
  /** Folder of everything in the demo. */
  readonly home: string;
  /** Runs one command of this program. */
  readonly dt: (...argv: string[]) => Promise<void>;
  readonly say: (text: string) => void;
}

/** Where the demo is played: commands are shown as one would type them, and then really run. */
export interface Stage {
  readonly act: (title: string, text: string) => void;
  readonly say: (text: string) => void;
  /** All that the command says. @throws DT_DEMO_STEP when it does not end with `code` (0) */
  readonly dt: (argv: readonly string[], code?: number) => Promise<void>;
  /** Only its last ✓ line, for commands that the story does not turn on; everything when it fails. */
  readonly brief: (...argv: string[]) => Promise<void>;
  /** The steps, logs and ends of a job, without the states in between. */
  readonly job: (...argv: string[]) => Promise<void>;
  /** A program that stays; what it says goes to `<name>.log`. @returns what `ready` found */
  readonly start: (name: string, ready: RegExp, ...argv: string[]) => Promise<RegExpExecArray>;
  readonly stop: () => Promise<void>;
}

/** States that a share passes through; what it came to is said at the end. */
const PASSING = /\u2502 (queued|staging|running|releasing|settling|succeeded)$/;

export function createStage({ root, home, dt: run, say }: StageParameters): Stage {
  const programs: ChildProgram[] = [];
  const typed = (argv: readonly string[]): string => {
    const shown = argv.map((word) => word.replaceAll(`${root}/`, '').replaceAll(`${home}/`, '$DT_HOME/'));
    return shown.map((word) => (/^[\w./:@=$-]+$/.test(word) ? word : `'${word}'`)).join(' ');
  };
  const perform = async (argv: readonly string[], code: number): Promise<void> => {
    await run(...argv);
    const { exitCode } = process;
    process.exitCode = undefined;
    if (Number(exitCode ?? 0) !== code)
      throw new ToolkitError('DT_DEMO_STEP', { command: `dt ${argv.join(' ')}`, code: exitCode ?? 0, home });
  };
  const show = (argv: readonly string[], end = ''): void => say(chalk.dim(`$ dt ${typed(argv)}${end}`));

  return {
    say,
    act: (title, text) => say(`\n${chalk.bold.cyan(title)}  ${chalk.dim(text)}`),
    dt: (argv, code = 0) => {
      show(argv);
      return perform(argv, code);
    },
    brief: async (...argv) => {
      show(argv);
      const said: string[] = [];
      try {
        await through(
          ['stdout', 'stderr'],
          (text) => said.push(text) > 0 && '',
          () => perform(argv, 0),
        );
      } catch (error) {
        say(said.join(''));
        throw error;
      }
      const lines = said.join('').split('\n');
      const done = lines.filter((line) => stripVTControlCharacters(line).startsWith('✓')).at(-1);
      if (done !== undefined) say(done);
    },
    job: async (...argv) => {
      show(argv);
      const without = (text: string): string =>
        text
          .split('\n')
          .filter((line) => !PASSING.test(stripVTControlCharacters(line)))
          .join('\n');
      await through(['stderr'], without, () => perform(argv, 0));
    },
    start: async (name, ready, ...argv) => {
      show(argv, ' &');
      const program = await startProgram(join(root, 'bin', 'run.js'), argv, ready, join(home, `${name}.log`), process.env);
      programs.push(program);
      return program.ready;
    },
    stop: async () => {
      await Promise.all(programs.reverse().map((program) => program.stop()));
    },
  };
}

/** Passes what is written meanwhile through `change`. */
async function through<R>(
  streams: readonly ('stdout' | 'stderr')[],
  change: (text: string) => string | false,
  work: () => Promise<R>,
): Promise<R> {
  const before = streams.map((name) => [name, process[name].write] as const);
  for (const [name, write] of before)
    process[name].write = (chunk: Uint8Array | string, ...rest: unknown[]): boolean => {
      const kept = change(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      for (const done of rest) if (typeof done === 'function') process.nextTick(done);
      return kept === false || kept === '' ? true : write.call(process[name], kept);
    };
  try {
    return await work();
  } finally {
    for (const [name, write] of before) process[name].write = write;
  }
}
