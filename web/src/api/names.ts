import { type Signal, signal } from '@preact/signals';
import type { Http } from './http.js';

const MOST = 100;

/** What ids are called, asked for in one go for all that is drawn at once. A name that was not there is asked for again when there is news. */
export class Names {
  readonly #known = new Map<string, Signal<string | undefined>>();
  #wanted = new Set<string>();

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
    if (this.#wanted.size === 0) setTimeout(() => this.#ask());
    this.#wanted.add(id);
  }

  #ask(): void {
    const ids = [...this.#wanted];
    this.#wanted = new Set();
    for (let start = 0; start < ids.length; start += MOST) {
      const some = ids.slice(start, start + MOST);
      this.http.get<{ names: Readonly<Record<string, string>> }>(`/v1/names?ids=${encodeURIComponent(some.join(','))}`).then(
        ({ names }) => {
          for (const [id, name] of Object.entries(names)) {
            const known = this.#known.get(id);
            if (known !== undefined) known.value = name;
          }
        },
        // Ids are shown instead.
        () => undefined,
      );
    }
  }
}
