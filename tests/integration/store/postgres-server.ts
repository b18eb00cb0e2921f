import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** Folder of initdb and postgres: Debian's newest version, else what lies in the usual places. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), '/usr/local/bin', '/usr/bin'];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** A private server in a temp folder that listens on a unix socket there alone: no port, no password, nothing shared. */
export class PostgresServer {
  readonly #folder: string;
  readonly #process: ChildProcess;
  #databases = 0;

  private constructor(folder: string, server: ChildProcess) {
    this.#folder = folder;
    this.#process = server;
  }

  static async start(binaries: string): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'dt-pg-'));
    const user = unprivilegedUser();
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    chmodSync(folder, 0o700);
    try {
      const data = join(folder, 'data');
      const as = (program: string, args: string[]): [string, string[]] => {
        const drop = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
        // The server stops when the test process dies in whatever way.
        return ['setpriv', [...drop, '--pdeathsig=INT', join(binaries, program), ...args]];
      };
      execFileSync(...as('initdb', ['-D', data, '-U', 'dt', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']), {
        cwd: folder,
        stdio: 'pipe',
      });
      const options = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'max_connections=60'];
      const server = spawn(...as('postgres', options), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
      await ready(server);
      return new PostgresServer(folder, server);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** URL of an empty database. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test${this.#databases}`;
    await this.query(this.url('postgres'), `create database ${name}`);
    return this.url(name);
  }

  url(database: string): string {
    return `postgres:///${database}?host=${this.#folder}&user=dt`;
  }

  async query(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGINT');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** postgres refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user here: the next one.
    }
  }
  throw new Error('There is no user to run PostgreSQL as.');
}

async function ready(server: ChildProcess): Promise<void> {
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  server.removeAllListeners('exit');
}
