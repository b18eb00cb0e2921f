import type { Response } from 'express';

/** When what was written has left, or nobody takes it any more. Leaves no listener behind, since streams write for hours. */
export function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
