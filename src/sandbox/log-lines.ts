import { StringDecoder } from 'node:string_decoder';

const LONGEST_LINE = 64 * 1024;

export interface LogBudget {
  left: number;
}

/**
 * Turns the bytes of one stream into lines. Bytes beyond the budget, which both streams of a job share, are dropped; a line without end is
 * handed on in pieces, so that it cannot grow in the memory of the daemon.
 */
export class LogLines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(
    private readonly budget: LogBudget,
    private readonly onLine: (text: string) => void,
    private readonly onOverflow: () => void,
  ) {}

  push(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.budget.left);
    this.budget.left -= kept.length;
    const lines = (this.#rest + this.#decoder.write(kept)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    while (this.#rest.length > LONGEST_LINE) {
      this.onLine(this.#rest.slice(0, LONGEST_LINE));
      this.#rest = this.#rest.slice(LONGEST_LINE);
    }
    if (kept.length < chunk.length) this.onOverflow();
  }

  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (last !== '') this.#emit(last);
  }

  #emit(line: string): void {
    this.onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
