import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type Program, processesOf, startProgram } from './readme-terminals.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const original = fileURLToPath(new URL('../../../shared/data/original', import.meta.url));

/** Keys of the original's demo. They are public and guard nothing. */
const KEYS = {
  system: ['4472aa5d4e2efe297784a3d44d840c9652cdb7663e22dedd920958bf6edfaf7e', '0xa2D4eD069A247bcBBeC037FCADd8C3A305b4e409'],
  org1: ['5c25a2fb9b5427bbe8b68b4ddc0655ae7621f87a147a489b1337ca166bca0173', '0x7080b17af4b29F621A5Ef3B1802B2a778Af595d0'],
  org2: ['eee795df5de4fc3636abfcfb6d1741665a903efa2b5ded74cea33ca92111b953', '0xFDEBd75565fE98c1B2659E82181D92B5C6943693'],
  org3: ['6bba7694acf53fd8d02120263e6e5aaacbab4b623f4a401ac835c9d8ec54e122', '0x0148D6F66D4759aC7CcE98673dC9b75974E6bAe4'],
} as const;

/** Stands for the original's Rosetta operator, whose code is not to be had: same arguments, same outputs. */
const RTT_OP = `import json, sys

args = json.load(open(sys.argv[sys.argv.index('--config') + 1]))
own = args['inputs'][str(args['party_id'])]
rows = sum(1 for _ in open(own)) - 1
with open(args['outputs']['0'], 'w') as log:
    log.write('party %d of %d has %d rows' % (args['party_id'], len(args['exec_endpoints']), rows))
`;

describe.skipIf(!existsSync(original))("the original's commands, word for word (skipped without ../shared/data/original)", () => {
  let folder: string;
  let project: string;
  let env: NodeJS.ProcessEnv;
  const programs: Program[] = [];
  const ports = { org1: 0, org2: 0 };

  /** A line as one typed it for the original, with `dt` for `python client/dt-cli.py`. */
  const type = (line: string): { status: number | null; said: string } => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: project, env, encoding: 'utf8' });
    return { status, said: `${stdout}${stderr}` };
  };
  const done = (line: string): string => {
    const { status, said } = type(line);
    expect(status, `${line}\n${said}`).toBe(0);
    return said;
  };
  const idIn = (said: string): string => {
    const id = /^ {2}(dt:ownership:[0-9a-f]{64})/m.exec(said)?.[1];
    if (id === undefined) throw new Error(said);
    return id;
  };
  /** The ids in the files are those of the original's own chain, and its daemons were on other ports. Nothing else is changed. */
  const adapt = async (name: string, changes: Readonly<Record<string, string>>): Promise<void> => {
    const file = join(project, 'samples', 'ddo', name);
    const text = await readFile(join(original, name), 'utf8');
    const all = { '127.0.0.1:8090': `127.0.0.1:${ports.org1}`, '127.0.0.1:8091': `127.0.0.1:${ports.org2}`, ...changes };
    await mkdir(dirname(file), { recursive: true });
    await writeFile(
      file,
      Object.entries(all).reduce((now, [from, to]) => now.replaceAll(from, to), text),
    );
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dt-original-'));
    project = join(folder, 'project');
    await mkdir(join(project, 'samples', 'op'), { recursive: true });
    await cp(join(original, 'rtt_op_attr.json'), join(project, 'samples', 'op', 'rtt_op_attr.json'));
    await cp(join(original, 'rtt_params.json'), join(project, 'samples', 'op', 'rtt_params.json'));
    await writeFile(join(project, 'samples', 'op', 'rtt_op.py'), RTT_OP);
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, 'bin', 'dt'), `#!/bin/sh\nexec '${process.execPath}' '${root}/bin/run.js' "$@"\n`);
    await chmod(join(folder, 'bin', 'dt'), 0o755);
    env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder, DT_PASSWORD: 'original' };
    programs.push(startProgram(`dt chain start --port 0 --admin ${KEYS.system[1]}`, /Stop it with ctrl-c/, env, project));
    await programs[0]?.ready;
    for (const org of ['org1', 'org2'] as const) {
      await mkdir(join(folder, org));
      await writeFile(join(folder, `${org}.hex`), KEYS[org][0]);
      ports[org] = await freePort();
      done(`dt key import --name ${org} --key-file ${folder}/${org}.hex`);
      done(`dt daemon init --config ${folder}/${org}.yaml --key ${org} --port ${ports[org]} --data ${folder}/${org}`);
      // Each daemon has a folder of its own for its state.
      const own = { ...env, DT_DAEMON__STORE__URL: `sqlite:${folder}/${org}.db`, DT_DAEMON__JOBS__FOLDER: `${folder}/${org}-jobs` };
      const daemon = startProgram(`dt daemon run --config ${folder}/${org}.yaml`, /^Daemon of 0x/m, own, project);
      programs.push(daemon);
      await daemon.ready;
    }
  }, 120_000);

  afterAll(async () => {
    for (const program of programs.reverse()) await program.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('from the organizations to the trace', { timeout: 180_000 }, async () => {
    const [system, a, b, c] = [KEYS.system[0], KEYS.org1[0], KEYS.org2[0], KEYS.org3[0]];
    for (const [index, org] of (['org1', 'org2', 'org3'] as const).entries()) {
      const said = done(`dt system org --name '${org}' --desc 'test_org${index + 1}' --address ${KEYS[org][1]} --private_key ${system}`);
      expect(said).toMatch(/Organization registered/);
      expect(said).toMatch(/Warning: --private-key shows the key/);
      expect(said).not.toContain(system);
    }

    const tid = idIn(done(`dt system op --attr_file './samples/op/rtt_op_attr.json' --private_key ${system}`));
    const template = { 'dt:ownership:caf831804693f76b0b988639a9cb680f45fcaeb23ee8f3b8a7b8d93e59616b3b': tid };
    for (const name of ['org1_feature', 'org1_label', 'org2_feature']) await adapt(`${name}_attr.json`, template);
    const feature1 = idIn(done(`dt asset dt --attr_file './samples/ddo/org1_feature_attr.json' --private_key ${a}`));
    const label1 = idIn(done(`dt asset dt --attr_file './samples/ddo/org1_label_attr.json' --private_key ${a}`));
    const feature2 = idIn(done(`dt asset dt --attr_file './samples/ddo/org2_feature_attr.json' --private_key ${b}`));

    await adapt('3rd_algo_attr.json', {
      'dt:ownership:c78707ac2aad1aa4f6813f4cab82f6b2fd44ebc62caf28a74627edb12ec1406c': feature1,
      'dt:ownership:a6e190d28f84e8e715617a35908aae8921977230130c69f7a8fdb0a5e545398a': feature2,
      'dt:ownership:902e27cdb564baeed96127253db09a58916984f24bff1c99203b85ee0d99d70b': label1,
    });
    const composed = done(`dt asset cdt --attr_file './samples/ddo/3rd_algo_attr.json' --private_key ${c}`);
    expect(composed.match(/✓ Ask org/g)).toHaveLength(3);
    const cdt = idIn(composed);

    // What the original had no command for: where the data lies.
    for (const [name, org, key] of [
      ['org1_feature', 'org1', a],
      ['org1_label', 'org1', a],
      ['org2_feature', 'org2', b],
    ] as const) {
      const data = join(folder, org, `${name}.csv`);
      await writeFile(data, `x\n${'1\n'.repeat(name === 'org2_feature' ? 2 : 3)}`);
      done(`dt asset dt --attr_file './samples/ddo/${name}_attr.json' --store-path ${data} --private_key ${key}`);
    }

    expect(done(`dt job init --name 'risk control' --desc 'find bad guys' --private_key ${c}`)).toMatch(/Task 1 opened/);
    const executed = done(`dt job exec --task_id 1 --cdt ${cdt} --private_key ${c}`);
    expect(executed.match(/✓ org\d .* succeeded .* 1 outputs?/g)).toHaveLength(3);
    done(`dt job outputs 1 --out results --private_key ${c}`);
    const log = await readFile(join(project, 'results', 'credit-default-features-30-72', 'rtt_log.txt'), 'utf8');
    expect(log).toBe('party 1 of 3 has 2 rows');

    const traced = done(`dt tracer dfs --prefix_path ${feature1}`);
    expect(traced).toMatch(/risk model .* of org3 {2}Algorithm {2}\[granted\]/);
    expect(traced.match(/✓ org\d {2}succeeded/g)).toHaveLength(3);
    expect(done(`dt tracer union --cdt ${cdt}`).match(/\[granted\]/g)).toHaveLength(3);
  });

  it('leaves no process behind', async () => {
    for (const program of programs.reverse()) expect(await program.stop()).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });
});
