import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { namedFlags } from '../../cli/named-flags.js';

export default class JobSimulate extends BaseCommand<typeof JobSimulate> {
  static override description =
    'Run a joint operator on this machine, one process for each seat of exec_endpoints, before it is published.\nWithout sandbox, chain, constraints and keys: for authors, on data of their own. See docs/OPERATORS.md.';
  static override examples = [
    '<%= config.bin %> job simulate samples/op/secure_sum.mjs --args args.json --input 0=a.csv --input 1=b.csv --input 2=c.csv --outputs ./results',
    '<%= config.bin %> job simulate operator.mjs --args args.json --input 0=features.csv --input 1=other.csv --input 0:2=label.csv',
  ];
  static override args = { operator: Args.string({ description: 'file of the operator, .mjs', ignoreStdin: true }) };
  static override flags = namedFlags({
    args: Flags.file({ description: 'JSON file with the arguments of the job; party_id is set for each seat' }),
    input: Flags.string({
      description: 'input 0 of seat 0: `0=<file>`; input 2 of seat 0: `0:2=<file>`. Give it once for each',
      multiple: true,
    }),
    outputs: Flags.directory({ description: 'folder for the outputs of all seats, when none failed' }),
  });

  override async run() {
    const { simulateJob } = await import('../../actions/job/simulate-job.js');
    const { parseSimulatedInput, readSimulatedArguments, readSimulatedOperator } = await import('../../cli/simulation-input.js');
    const { renderSimulation, renderSimulationWarning, simulationListener } = await import('../../cli/render-simulation.js');
    const { endWithError, untilInterrupted } = await import('../../cli/watch-job.js');
    const { flags, args } = this;
    const operator = await readSimulatedOperator(await this.ask(args.operator, 'File of the operator', 'operator'));
    const jobArgs = await readSimulatedArguments(await this.ask(flags.args, 'File with the arguments', 'args'));
    const inputs = (flags.input ?? []).map(parseSimulatedInput);
    this.logToStderr(renderSimulationWarning());
    const { signal, release } = untilInterrupted();
    const onLog = simulationListener((line) => this.logToStderr(line));
    const { error, ...simulation } = await simulateJob({
      ...{ operator, args: jobArgs, inputs, signal, onLog },
      ...(flags.outputs !== undefined && { outputs: flags.outputs }),
    }).finally(release);
    this.log(renderSimulation(simulation.seats));
    if (error === undefined && flags.outputs === undefined) await this.next('dt job simulate … --outputs <folder>');
    if (signal.aborted) process.exitCode = 130;
    return { ...simulation, ...endWithError(error, this.jsonEnabled()) };
  }
}
