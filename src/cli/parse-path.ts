import type { TokenId } from '../documents/ids.js';
import { ToolkitError } from '../errors/toolkit-error.js';
import type { Home } from './home.js';

/** `@leaf` or `@leaf,@union,@algorithm`: tokens upwards, each made of the one before. @throws DT_INPUT_INVALID, DT_NAME_UNKNOWN */
export async function parsePath(home: Home, text: string): Promise<{ readonly start: TokenId; readonly below: readonly TokenId[] }> {
  const words = text.split(/[\s,>]+/).filter((word) => word !== '');
  const [start, ...below] = await Promise.all(words.map((word) => home.tokenId(word, '--prefix-path')));
  if (start === undefined) throw new ToolkitError('DT_INPUT_INVALID', { what: '--prefix-path', reason: 'it names no token' });
  return { start, below };
}
