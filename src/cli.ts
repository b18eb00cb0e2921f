import { Errors, execute } from '@oclif/core';

/** Entry of the `dt` program; bin/run.js loads its built form. */
export async function runCli(root: string): Promise<void> {
  try {
    await execute({ dir: root });
  } catch (error) {
    await Errors.handle(error as Error);
  }
}
