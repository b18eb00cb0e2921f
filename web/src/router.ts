import { computed, signal } from '@preact/signals';

/** What stands behind the `#`: `/jobs/<id>?x=1` as parts and query. It never leaves the browser, so the daemon's log has no trace of it. */
export interface Route {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export class Router {
  readonly #hash = signal(location.hash);
  readonly route = computed(() => parse(this.#hash.value));

  start(): void {
    window.addEventListener('hashchange', () => {
      this.#hash.value = location.hash;
    });
  }

  go(path: string): void {
    location.hash = path;
  }

  /** In the place of the present one: no way back leads here. */
  replace(path: string): void {
    history.replaceState(null, '', `#${path}`);
    this.#hash.value = location.hash;
  }
}

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const parts = path.split('/').filter((part) => part !== '');
  return { parts: parts.map(decode), query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
