import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { freePort, type Program, startProgram } from '../e2e/readme-terminals.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** The original's files, byte for byte. */
export const originalFiles = join(root, 'tests', 'vectors', 'original');

export type Organization = 'org1' | 'org2' | 'org3';

/** Keys of the original's demo. They are public and guard nothing. */
export const KEYS = {
  system: ['4472aa5d4e2efe297784a3d44d840c9652cdb7663e22dedd920958bf6edfaf7e', '0xa2D4eD069A247bcBBeC037FCADd8C3A305b4e409'],
  org1: ['5c25a2fb9b5427bbe8b68b4ddc0655ae7621f87a147a489b1337ca166bca0173', '0x7080b17af4b29F621A5Ef3B1802B2a778Af595d0'],
  org2: ['eee795df5de4fc3636abfcfb6d1741665a903efa2b5ded74cea33ca92111b953', '0xFDEBd75565fE98c1B2659E82181D92B5C6943693'],
  org3: ['6bba7694acf53fd8d02120263e6e5aaacbab4b623f4a401ac835c9d8ec54e122', '0x0148D6F66D4759aC7CcE98673dC9b75974E6bAe4'],
} as const;

/** Token ids that stand in the original's files, of its own chain. */
const IDS = {
  operator: 'dt:ownership:caf831804693f76b0b988639a9cb680f45fcaeb23ee8f3b8a7b8d93e59616b3b',
  org1_feature: 'dt:ownership:c78707ac2aad1aa4f6813f4cab82f6b2fd44ebc62caf28a74627edb12ec1406c',
  org2_feature: 'dt:ownership:a6e190d28f84e8e715617a35908aae8921977230130c69f7a8fdb0a5e545398a',
  org1_label: 'dt:ownership:902e27cdb564baeed96127253db09a58916984f24bff1c99203b85ee0d99d70b',
} as const;

/** A folder as that of the original's demo, with a chain and daemons, where its commands are typed word for word. */
export interface OriginalProject {
  readonly folder: string;
  readonly project: string;
  readonly ports: Readonly<Record<Organization, number>>;
  /** A line as one typed it for the original, with `dt` for `python client/dt-cli.py`. @returns what it said */
  done(line: string): string;
  /** Registers the three organizations; with a URL who runs a daemon and has none in its documents. */
  organizations(urls?: Partial<Record<Organization, string>>): void;
  /**
   * From the operator to the algorithm: publishes, mints, composes; and says where the data lies, for which the original had no command.
   * Of its files only token ids and `changes` are replaced. @returns the ids
   */
  compose(
    data: Readonly<Record<Asset, string>>,
    changes: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<Asset | 'algorithm', string>>>;
  /** @returns the exit codes of the daemons and the chain */
  stop(): Promise<readonly (number | null)[]>;
  close(): Promise<void>;
}

export type Asset = 'org1_feature' | 'org1_label' | 'org2_feature';

const OWNERS = { org1_feature: 'org1', org1_label: 'org1', org2_feature: 'org2' } as const;

/** The token id in what a command said. */
export function idIn(said: string): string {
  const id = /^ {2}(dt:ownership:[0-9a-f]{64})/m.exec(said)?.[1];
  if (id === undefined) throw new Error(said);
  return id;
}

/** @param operator fills samples/op with what rtt_op_attr.json names @param daemons of whom a daemon runs */
export async function openOriginalProject(
  operator: (folder: string) => Promise<void>,
  daemons: readonly Organization[],
): Promise<OriginalProject> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-original-'));
  const project = join(folder, 'project');
  await mkdir(join(project, 'samples', 'op'), { recursive: true });
  await cp(join(originalFiles, 'rtt_op_attr.json'), join(project, 'samples', 'op', 'rtt_op_attr.json'));
  await cp(join(originalFiles, 'rtt_params.json'), join(project, 'samples', 'op', 'rtt_params.json'));
  await operator(join(project, 'samples', 'op'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin', 'dt'), `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/run.js' "$@"\n`);
  await chmod(join(folder, 'bin', 'dt'), 0o755);
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder, DT_PASSWORD: 'original' };
  const programs: Program[] = [];
  const ports = { org1: 0, org2: 0, org3: 0 };
  const start = async (code: string, ready: RegExp, environment: NodeJS.ProcessEnv): Promise<void> => {
    const program = startProgram(code, ready, environment, project);
    programs.unshift(program);
    await program.ready;
  };
  const done = (line: string): string => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: project, env, encoding: 'utf8' });
    expect(status, `${line}\n${stdout}${stderr}`).toBe(0);
    return `${stdout}${stderr}`;
  };
  await start(`dt chain start --port 0 --admin ${KEYS.system[1]}`, /Stop it with ctrl-c/, env);
  for (const org of daemons) {
    await mkdir(join(folder, org));
    await writeFile(join(folder, `${org}.hex`), KEYS[org][0]);
    ports[org] = await freePort();
    done(`dt key import --name ${org} --key-file ${folder}/${org}.hex`);
    done(`dt daemon init --config ${folder}/${org}.yaml --key ${org} --port ${ports[org]} --data ${folder}/${org}`);
    // Each daemon has a folder of its own for its state.
    const state = { DT_DAEMON__STORE__URL: `sqlite:${folder}/${org}.db`, DT_DAEMON__JOBS__FOLDER: `${folder}/${org}-jobs` };
    const link = { DT_DAEMON__LINK__KEY_FILE: `${folder}/${org}-link.key` };
    await start(`dt daemon run --config ${folder}/${org}.yaml`, /^Daemon of 0x/m, { ...env, ...state, ...link });
  }

  const adapt = async (name: string, changes: Readonly<Record<string, string>>): Promise<void> => {
    const file = join(project, 'samples', 'ddo', name);
    await mkdir(dirname(file), { recursive: true });
    const text = await readFile(join(originalFiles, name), 'utf8');
    await writeFile(
      file,
      Object.entries(changes).reduce((now, [from, to]) => now.replaceAll(from, to), text),
    );
  };
  return {
    folder,
    project,
    ports,
    done,
    organizations: (urls = {}) => {
      for (const [index, org] of (['org1', 'org2', 'org3'] as const).entries()) {
        const line = `dt system org --name '${org}' --desc 'test_org${index + 1}' --address ${KEYS[org][1]} --private_key ${KEYS.system[0]}`;
        const said = done(line);
        expect(said).toMatch(/Organization registered/);
        expect(said).toMatch(/Warning: --private-key shows the key/);
        expect(said).not.toContain(KEYS.system[0]);
        if (urls[org] !== undefined) done(`dt system org --address ${KEYS[org][1]} --url ${urls[org]} --key ${org}`);
      }
    },
    compose: async (data, changes) => {
      const template = idIn(done(`dt system op --attr_file './samples/op/rtt_op_attr.json' --private_key ${KEYS.system[0]}`));
      const assets = Object.keys(OWNERS) as readonly Asset[];
      for (const name of assets) await adapt(`${name}_attr.json`, { ...changes, [IDS.operator]: template });
      const mint = (name: Asset): string =>
        `dt asset dt --attr_file './samples/ddo/${name}_attr.json' --private_key ${KEYS[OWNERS[name]][0]}`;
      const ids = Object.fromEntries(assets.map((name) => [name, idIn(done(mint(name)))])) as Record<Asset, string>;
      await adapt('3rd_algo_attr.json', { ...changes, ...Object.fromEntries(assets.map((name) => [IDS[name], ids[name]])) });
      const composed = done(`dt asset cdt --attr_file './samples/ddo/3rd_algo_attr.json' --private_key ${KEYS.org3[0]}`);
      expect(composed.match(/✓ Ask org/g)).toHaveLength(3);
      for (const name of assets) done(`${mint(name)} --store-path ${data[name]}`);
      return { ...ids, algorithm: idIn(composed) };
    },
    stop: async () => {
      const codes: (number | null)[] = [];
      for (const program of programs) codes.push(await program.stop());
      return codes;
    },
    close: async () => {
      for (const program of programs) await program.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
