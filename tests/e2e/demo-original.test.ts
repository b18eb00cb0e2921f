import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYS, type OriginalProject, openOriginalProject, originalFiles } from '../support/original-project.js';
import { processesOf } from './readme-terminals.js';

const shared = fileURLToPath(new URL('../../../shared/data/original', import.meta.url));

/** Stands for the original's Rosetta operator, whose code is not to be had: same arguments, same outputs. */
const RTT_OP = `import json, sys

args = json.load(open(sys.argv[sys.argv.index('--config') + 1]))
own = args['inputs'][str(args['party_id'])]
rows = sum(1 for _ in open(own)) - 1
with open(args['outputs']['0'], 'w') as log:
    log.write('party %d of %d has %d rows' % (args['party_id'], len(args['exec_endpoints']), rows))
`;

describe("the original's commands, word for word", () => {
  let original: OriginalProject;

  beforeAll(async () => {
    original = await openOriginalProject((folder) => writeFile(join(folder, 'rtt_op.py'), RTT_OP), ['org1', 'org2']);
  }, 120_000);

  afterAll(() => original?.close());

  it('from the organizations to the trace', { timeout: 180_000 }, async () => {
    const { folder, project, ports, done } = original;
    const [c] = KEYS.org3;
    original.organizations();
    const data = {
      org1_feature: join(folder, 'org1', 'f.csv'),
      org1_label: join(folder, 'org1', 'l.csv'),
      org2_feature: join(folder, 'org2', 'f.csv'),
    };
    for (const [name, file] of Object.entries(data)) await writeFile(file, `x\n${'1\n'.repeat(name === 'org2_feature' ? 2 : 3)}`);
    // Its daemons were on other ports. Nothing else is changed.
    const ids = await original.compose(data, { '127.0.0.1:8090': `127.0.0.1:${ports.org1}`, '127.0.0.1:8091': `127.0.0.1:${ports.org2}` });

    expect(done(`dt job init --name 'risk control' --desc 'find bad guys' --private_key ${c}`)).toMatch(/Task 1 opened/);
    const executed = done(`dt job exec --task_id 1 --cdt ${ids.algorithm} --private_key ${c}`);
    expect(executed.match(/✓ org\d .* succeeded .* 1 outputs?/g)).toHaveLength(3);
    done(`dt job outputs 1 --out results --private_key ${c}`);
    const log = await readFile(join(project, 'results', 'credit-default-features-30-72', 'rtt_log.txt'), 'utf8');
    expect(log).toBe('party 1 of 3 has 2 rows');

    const traced = done(`dt tracer dfs --prefix_path ${ids.org1_feature}`);
    expect(traced).toMatch(/risk model .* of org3 {2}Algorithm {2}\[granted\]/);
    expect(traced.match(/✓ org\d {2}succeeded/g)).toHaveLength(3);
    expect(done(`dt tracer union --cdt ${ids.algorithm}`).match(/\[granted\]/g)).toHaveLength(3);
  });

  it('leaves no process behind', async () => {
    expect(await original.stop()).toEqual([0, 0, 0]);
    expect(processesOf(original.folder)).toEqual([]);
  });
});

describe.skipIf(!existsSync(shared))("the copies of the original's files (skipped without ../shared/data/original)", () => {
  it('are those files, byte for byte', async () => {
    const names = (await readdir(shared)).filter((name) => name.endsWith('.json'));
    expect(names).toHaveLength(6);
    for (const name of names) expect(await readFile(join(originalFiles, name)), name).toEqual(await readFile(join(shared, name)));
  });
});
