import { isAbsolute } from 'node:path';
import { ToolkitError } from '../../errors/toolkit-error.js';

export type StoreUrl =
  | { readonly backend: 'sqlite'; readonly path: string; readonly shown: string }
  | { readonly backend: 'postgres'; readonly url: string; readonly shown: string };

/**
 * `sqlite:/absolute/path.db` (also `sqlite:///…`) or `postgres://user@host:port/database?options`. `shown` carries no password.
 * @throws DT_STORE_URL
 */
export function parseStoreUrl(text: string): StoreUrl {
  if (text.startsWith('sqlite:')) {
    const path = text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
    if (!isAbsolute(path) || path.includes('\0')) throw bad(text, 'the path of the file must be absolute');
    return { backend: 'sqlite', path, shown: `sqlite:${path}` };
  }
  if (!/^postgres(ql)?:\/\//.test(text)) throw bad(withoutUserInfo(text), 'it starts neither with sqlite: nor with postgres://');
  if (!URL.canParse(text)) throw bad(withoutUserInfo(text), 'it is not a URL');
  const url = new URL(text);
  url.password = '';
  url.searchParams.delete('password');
  return { backend: 'postgres', url: text, shown: url.toString() };
}

const bad = (url: string, reason: string): ToolkitError => new ToolkitError('DT_STORE_URL', { url, reason });

/** What cannot be parsed may still hold a password before its last @. */
const withoutUserInfo = (text: string): string =>
  text.replace(/^([a-z0-9+.-]*:(?:\/\/)?)?.*@/i, '$1…@').replace(/password=[^&]*/gi, 'password=…');
