import { type Signal, signal } from '@preact/signals';
import type { Http } from './http.js';

const MOST = 100;

interface Answer {
  readonly names: Readonly<Record<string, string>>;
}

/** What ids are called, asked for in one go for all that is drawn at once, or while an answer is on its way. A name that was not there is asked for again when there is news. */
export class Names {
  readonly #known = new Map<string, Signal<string | undefined>>();
  readonly #wanted = new Set<string>();
  #isAsking = false;

  constructor(private readonly http: Pick<Http, 'get'>) {}

  of(id: string): Signal<string | undefined> {
    const found = this.#known.get(id);
    if (found !== undefined) return found;
    const fresh = signal<string | undefined>(undefined);
    this.#known.set(id, fresh);
    this.#want(id);
    return fresh;
  }

  /** What was unknown may have a name now. */
  askAgain(): void {
    for (const [id, { value }] of this.#known) if (value === undefined) this.#want(id);
  }

  #want(id: string): void {
    this.#wanted.add(id);
    if (this.#isAsking) return;
    this.#isAsking = true;
    setTimeout(() => this.#ask());
  }

  async #ask(): Promise<void> {
    while (this.#wanted.size > 0) {
      const ids = [...this.#wanted].slice(0, MOST);
      for (const id of ids) this.#wanted.delete(id);
      // Ids are shown where there is no answer.
      const { names } = await this.http.get<Answer>(`/v1/names?ids=${encodeURIComponent(ids.join(','))}`).catch(() => ({ names: {} }));
      for (const [id, name] of Object.entries(names)) {
        const known = this.#known.get(id);
        if (known !== undefined) known.value = name;
      }
    }
    this.#isAsking = false;
  }
}
