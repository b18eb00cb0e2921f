import { composeAsset } from '../../src/actions/asset/compose-asset.js';
import { mintAsset } from '../../src/actions/asset/mint-asset.js';
import { execJob } from '../../src/actions/job/exec-job.js';
import { publishOperator } from '../../src/actions/system/publish-operator.js';
import { parseAssetAttributes } from '../../src/documents/ddo/ddo.js';
import { type BankRole, compositeAttributes, type Role, type World } from '../support/world.js';

const CODE = `
import { readFileSync, writeFileSync } from 'node:fs';
const { lines } = JSON.parse(readFileSync('args.json', 'utf8'));
writeFileSync('outputs/result.json', JSON.stringify({ lines }));
`;

export interface WaitingJobs {
  /** A job on data whose owner wants to approve it and to look at its outputs; resolves to the run, which waits. */
  run(lines: number): Promise<string>;
  /** A new version of the code that such jobs run, with one line more. */
  changeCode(): Promise<void>;
}

/** Jobs that wait for their owner. The leaf takes any version of the code, so that the owner is asked about new code, too. */
export async function waitingJobs(world: World, bank: BankRole, asker: Role, task: bigint): Promise<WaitingJobs> {
  const publish = async (operation: string, update: boolean): Promise<string> => {
    const content = {
      metadata: { main: { type: 'Operation', name: 'looked at' } },
      runtime: 'node',
      operation,
      params: { lines: {} },
    } as const;
    return (await publishOperator(world.system.context, { content, update })).tid;
  };
  const template = await publish(CODE, false);
  const attributes = parseAssetAttributes({
    metadata: { main: { type: 'Dataset', name: 'patients' } },
    services: [
      {
        index: 'run',
        endpoint: '',
        descriptor: { template, version: 'any', constraint: { lines: {} } },
        attributes: { path: './inputs/patients.csv' },
        approval: 'manual',
        outputs: [{ name: 'result.json', hold: true }],
      },
    ],
  });
  const storePath = await bank.data('patients.csv', 'id\n1\n');
  const { dt: leaf } = await mintAsset(bank.context, { attributes, storePath });
  return {
    run: async (lines) => {
      const workflow = { [leaf]: { service: 'run', constraint: { lines } } };
      const { dt: algorithm } = await composeAsset(asker.context, {
        attributes: compositeAttributes(`patients ${lines}`, 'Algorithm', workflow),
      });
      const { shares } = await execJob(asker.context, { task, algorithm, wait: false });
      return shares[0]?.run?.id ?? '';
    },
    changeCode: async () => {
      await publish(`${CODE}// changed\u2028void 0;\n`, true);
    },
  };
}
