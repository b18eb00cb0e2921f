import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';

export interface Block {
  /** 1 is the terminal that one types in; the others run one program each and stay. */
  readonly terminal: number;
  readonly code: string;
  /** The text block that follows, if any: what the page says that one sees. */
  readonly shown: string | undefined;
}

/** Fenced blocks of a page: its language and its lines. */
export function fences(page: string): readonly { readonly language: string; readonly text: string }[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }));
}

/** The bash blocks in order. `# terminal 2` as first line says where it is typed; without it the terminal stays the same. */
export function bashBlocks(page: string): readonly Block[] {
  const all = fences(page);
  return all.flatMap(({ language, text }, index): readonly Block[] => {
    if (language !== 'bash') return [];
    const terminal = Number(/^# terminal (\d+)\n/.exec(text)?.[1] ?? 1);
    const next = all[index + 1];
    return [{ terminal, code: text, shown: next?.language === 'text' ? next.text : undefined }];
  });
}

/** Bash that sources one block after the other in the same session, under `set -euo pipefail`, and says when each is done. */
const SESSION = `set -euo pipefail
while read -r block <&3; do
  source "$block" 3<&- < /dev/null
  printf '\\036\\n'
done`;

const END = '\x1e\n';

/** The terminal that one types in. */
export class Terminal {
  private readonly shell: ChildProcess;
  private said = '';
  private count = 0;
  private wake: () => void = () => undefined;

  constructor(
    private readonly folder: string,
    env: NodeJS.ProcessEnv,
    cwd: string,
  ) {
    this.shell = spawn('bash', ['-c', SESSION], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.shell.stdout, this.shell.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.said += chunk.toString('utf8');
        this.wake();
      });
    this.shell.once('close', () => this.wake());
  }

  /** Runs one block. @returns all that it wrote @throws Error with that when a command failed */
  async type(code: string): Promise<string> {
    this.count += 1;
    const file = join(this.folder, `block-${this.count}.sh`);
    await writeFile(file, code);
    this.said = '';
    (this.shell.stdio[3] as Writable).write(`${file}\n`);
    while (!this.said.includes(END)) {
      if (this.shell.exitCode !== null) throw new Error(`exit code ${this.shell.exitCode} of\n${code}\n${this.said}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.said.replace(END, '');
  }

  /** Ends the session; a command that still runs is killed. */
  async close(): Promise<void> {
    const { pid, exitCode, signalCode } = this.shell;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const gone = once(this.shell, 'close');
    if (this.isBusy) process.kill(-pid, 'SIGKILL');
    else (this.shell.stdio[3] as Writable).end();
    await gone;
  }

  private get isBusy(): boolean {
    return this.count > 0 && !this.said.includes(END);
  }
}

export interface Program {
  /** Resolves when it has said that it is ready. @throws Error with all that it said when it ends before that */
  readonly ready: Promise<void>;
  readonly said: () => string;
  /** Ctrl-c. @returns the exit code of its shell */
  stop(): Promise<number | null>;
}

/** Another terminal, whose last command stays. */
export function startProgram(code: string, ready: RegExp, env: NodeJS.ProcessEnv, cwd: string): Program {
  const shell = spawn('bash', ['-c', `set -euo pipefail\n${code}`], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let said = '';
  const isReady = new Promise<void>((resolve, reject) => {
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
        if (ready.test(said)) resolve();
      });
    shell.once('exit', (status) => reject(new Error(`exit code ${status} of\n${code}\n${said}`)));
  });
  const stop = async (): Promise<number | null> => {
    if (shell.exitCode !== null || shell.pid === undefined) return shell.exitCode;
    const gone = once(shell, 'exit');
    process.kill(-shell.pid, 'SIGINT');
    await gone;
    return shell.exitCode;
  };
  return { ready: isReady, said: () => said, stop };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Command lines of the processes that have this text in their environment or command line: whoever a test left behind. */
export function processesOf(text: string): readonly string[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return ''; // It has ended by now, or is another user's.
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({ command: read(`/proc/${pid}/cmdline`), environment: read(`/proc/${pid}/environ`) }))
    .filter(({ command, environment }) => command.includes(text) || environment.includes(text))
    .map(({ command }) => command.replaceAll('\0', ' ').trim());
}

/** What differs from run to run is made the same, so that a page's excerpt can be looked for in what was really written. */
export function steady(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/0x[0-9a-f]{8,}…?/g, '0x#')
        .replace(/dt:ownership:[0-9a-f]{8,}…?/g, 'dt:#')
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<time>')
        .replace(/\b\d+(\.\d+)? (ms|s)\b/g, '<duration>')
        .replace(/\b\d+(\.\d)? k?B\b/g, '<size>')
        .replace(/execution [0-9a-f]{16}/g, 'execution <id>')
        // Joint fits differ from run to run behind the fourth digit, by their random masks.
        .replace(/(AUC at round \d+: \d\.\d{4})\d*/g, '$1')
        // Which rows are held out depends on the order of the join, which is random.
        .replace(/(both banks +)0\.\d{4} +█+ \+0\.\d{4}/, '$1<auc>')
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
        .replace(/Chain \d+/g, 'Chain <id>')
        .replace(/\/\S*\/(?=\.dt\/)/g, '')
        .replace(/\s+/g, ' ')
        // Shares come in the order of random ids.
        .replace(/[├└]─/g, '├─')
        .trim(),
    )
    .filter((line) => line !== '' && line !== '…');
}
