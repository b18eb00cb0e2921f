const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** CIDv1, raw codec, sha2-256, in base 32: the name under which the daemon serves a document. */
export function cidOf(digest: string): string {
  const hex = `01551220${digest.replace(/^0x/, '')}`;
  let bits = 0;
  let held = 0;
  let text = 'b';
  for (let i = 0; i < hex.length; i += 2) {
    held = (held << 8) | Number.parseInt(hex.slice(i, i + 2), 16);
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31];
}
