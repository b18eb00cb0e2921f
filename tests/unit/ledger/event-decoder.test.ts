import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractNames, createCodecs, fieldsOf } from '../../../src/ledger/evm/codecs.js';

const codecs = createCodecs();
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => `0x${Buffer.from(value).toString('hex')}`);

function arbitraryOf(type: string): fc.Arbitrary<unknown> {
  if (type === 'string') return fc.string({ unit: 'binary', maxLength: 80 });
  if (type === 'address') return hex(20);
  if (type === 'bytes32') return hex(32);
  if (type === 'bool') return fc.boolean();
  if (type === 'uint256[]') return fc.array(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), { maxLength: 8 });
  return fc.bigInt({ min: 0n, max: 2n ** BigInt(type.slice(4)) - 1n });
}

/** Values as both decoders may give them. */
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(plain) : typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value) ? value.toLowerCase() : value;

describe('the decoder of events', () => {
  const all = contractNames.flatMap((contract) => {
    const events: { contract: typeof contract; name: string; types: readonly string[] }[] = [];
    codecs.of(contract).forEachEvent(({ name, inputs }) => events.push({ contract, name, types: inputs.map(({ type }) => type) }));
    return events;
  });

  it.each(all)('gives for $name of $contract what ethers gives', ({ contract, name, types }) => {
    fc.assert(
      fc.property(fc.tuple(...types.map(arbitraryOf)), (values) => {
        const abi = codecs.of(contract);
        const log = abi.encodeEventLog(name, values);
        const expected = abi.parseLog(log);
        expect(codecs.events(contract).decode(log.topics, log.data)).toEqual({ name, args: fieldsOf(expected?.args).map(plain) });
      }),
      { numRuns: 20 },
    );
  });

  it('refuses a log that is too short, and knows no others', () => {
    const { topics, data } = codecs
      .of('tokens')
      .encodeEventLog('TokenMinted', [1n, `0x${'11'.repeat(20)}`, `0x${'22'.repeat(32)}`, [3n, 4n]]);
    const tokens = codecs.events('tokens');
    for (const length of [2, 66, data.length - 64, data.length - 1])
      expect(() => tokens.decode(topics, data.slice(0, length))).toThrow(RangeError);
    expect(() => tokens.decode(topics.slice(0, 2), data)).toThrow(RangeError);
    expect(tokens.decode([`0x${'00'.repeat(32)}`], data)).toBeUndefined();
    expect(tokens.decode([], data)).toBeUndefined();
  });
});
