import type { Progress } from '../actions/action-context.js';
import { printable } from './render-text.js';

export interface ProgressView {
  readonly onProgress: (progress: Progress) => void;
  /** Resolves when everything that was started is drawn. */
  finish(): Promise<void>;
}

/** Plain lines for pipes and logs, on stderr, so that stdout stays for results. */
export function plainProgress(): ProgressView {
  return {
    onProgress: ({ step, state, detail }) => {
      if (state !== 'started')
        process.stderr.write(
          `${state === 'done' ? '✓' : state === 'skipped' ? '-' : '✗'} ${printable(step + (detail ? `: ${detail}` : ''))}\n`,
        );
    },
    finish: async () => undefined,
  };
}

export const silentProgress = (): ProgressView => ({ onProgress: () => undefined, finish: async () => undefined });

/** The same marks as in all other output. */
const MARKS = { COMPLETED: '✓', FAILED: '✗' } as const;

/** On a terminal: listr2, one list after the other; steps that start together stand in one list and run side by side. */
export function terminalProgress(): ProgressView {
  interface Pending {
    readonly title: string;
    readonly settled: Promise<string | undefined>;
    readonly settle: (outcome: { failed: boolean; detail: string | undefined }) => void;
  }
  const open = new Map<string, Pending>();
  let batch: Pending[] = [];
  let drawing: Promise<unknown> = Promise.resolve();

  const draw = async (items: readonly Pending[]): Promise<void> => {
    const { Listr } = await import('listr2');
    const tasks = items.map(({ title, settled }) => ({
      title: printable(title),
      task: async (_: unknown, task: { title: string }) => {
        const detail = await settled;
        if (detail !== undefined) task.title = printable(`${title}: ${detail}`);
      },
    }));
    // The error itself is printed by the command; here its line only turns red.
    // Ctrl-c is the command's: listr2 would end the program with no word of what goes on elsewhere.
    const options = {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: { showErrorMessage: false, icon: MARKS },
    };
    await new Listr(tasks, options).run().catch(() => undefined);
  };

  const start = (title: string): void => {
    let settle: Pending['settle'] = () => undefined;
    const settled = new Promise<string | undefined>((resolve, reject) => {
      settle = ({ failed, detail }) => (failed ? reject(new Error(detail)) : resolve(detail));
    });
    settled.catch(() => undefined);
    const pending = { title, settled, settle };
    open.set(title, pending);
    batch.push(pending);
    if (batch.length > 1) return;
    queueMicrotask(() => {
      const items = batch;
      batch = [];
      drawing = drawing.then(() => draw(items));
    });
  };

  return {
    onProgress: ({ step, state, detail }) => {
      if (state === 'started') start(step);
      else {
        open.get(step)?.settle({ failed: state === 'failed', detail });
        open.delete(step);
      }
    },
    finish: async () => {
      for (const pending of open.values()) pending.settle({ failed: true, detail: 'stopped' });
      await drawing;
    },
  };
}
