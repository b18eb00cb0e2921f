import { Config, Errors, flush, run } from '@oclif/core';

/** Entry of the `dt` program; bin/run.js loads its built form. */
export async function runCli(root: string): Promise<void> {
  try {
    await run(process.argv.slice(2), root);
    flush();
  } catch (error) {
    if (error instanceof Error && /^command \S+ not found$/.test(error.message)) await sayUnknown(root, process.argv.slice(2));
    else await Errors.handle(error as Error);
  }
}

async function sayUnknown(root: string, argv: readonly string[]): Promise<void> {
  const { unknownCommand } = await import('./cli/unknown-command.js');
  const { renderError } = await import('./cli/render-error.js');
  const { commands } = await Config.load(root);
  const known = commands.map(({ id, flags }) => ({
    id,
    flags: Object.entries(flags).flatMap(([name, flag]) => (flag.helpGroup === undefined ? [name] : [])),
  }));
  const error = unknownCommand(argv, known);
  process.exitCode = error.exitCode;
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: error.toJSON() }, null, 2)}\n`);
  else process.stderr.write(renderError(error, false));
}
