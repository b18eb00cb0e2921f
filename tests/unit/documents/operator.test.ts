import { describe, expect, it } from 'vitest';
import { digestOf, type JsonObject } from '../../../src/documents/canonical.js';
import {
  buildOperator,
  type OperatorContent,
  parseOperator,
  parseOperatorAttributes,
  runtimeOf,
  saltOfOperator,
} from '../../../src/documents/operator/operator.js';
import { address, changed, copy, created, reversed, tokenId } from './fixtures.js';

const file = {
  metadata: { main: { type: 'Operation', name: 'op1', desc: 'test op' } },
  operation: './samples/op/rtt_op.py',
  params: './samples/op/rtt_params.json',
};
const content: OperatorContent = {
  metadata: file.metadata,
  runtime: 'python3',
  operation: 'print("ä")\r\n',
  params: { party_id: {}, inputs: { '0': {} }, outputs: {} },
};
const document = buildOperator(content, tokenId(5), address(1), created);
const code = 'DT_DOCUMENT_INVALID';

describe('operator attributes', () => {
  it('of the original shape are accepted as they are', () => {
    expect(parseOperatorAttributes(copy(file))).toEqual(file);
    expect(runtimeOf(parseOperatorAttributes(copy(file)))).toBe('python3');
  });

  it.each([
    ['op.py', undefined, 'python3'],
    ['op.mjs', undefined, 'node'],
    ['dir.py/op.js', undefined, 'node'],
    ['op.txt', 'node', 'node'],
    ['op.py', 'node', 'node'],
  ] as const)('%s with runtime %s runs on %s', (operation, runtime, expected) => {
    expect(runtimeOf({ ...file, operation, ...(runtime === undefined ? {} : { runtime }) })).toBe(expected);
  });

  it.each(['op', 'op.cjs', 'op.PY', 'op.py.txt', '.js/op', 'py'])('the ending of %s tells no runtime', (operation) => {
    expect(() => runtimeOf({ ...file, operation })).toThrowError(
      expect.objectContaining({ code, details: expect.objectContaining({ pointer: '/operation' }) }),
    );
  });

  it.each<[string, readonly string[], unknown, string]>([
    ['another type', ['metadata', 'main', 'type'], 'Dataset', '/metadata/main/type'],
    ['no name', ['metadata', 'main', 'name'], undefined, '/metadata/main'],
    ['no operation', ['operation'], undefined, '/'],
    ['an empty path', ['params'], '', '/params'],
    ['params in the file', ['params'], {}, '/params'],
    ['a runtime that is not known', ['runtime'], 'bash', '/runtime'],
    ['an unknown key', ['image'], 'x', '/'],
  ])('may not have %s', (_, keys, value, pointer) => {
    expect(() => parseOperatorAttributes(changed(file, keys, value))).toThrowError(
      expect.objectContaining({ code, details: expect.objectContaining({ pointer }) }),
    );
  });
});

describe('operator documents', () => {
  it('come back as they were built, the code to the byte', () => {
    expect(parseOperator(JSON.parse(JSON.stringify(document)))).toEqual(document);
    expect(parseOperator(reversed(document)).operation).toBe('print("ä")\r\n');
    expect(digestOf(parseOperator(reversed(document)))).toBe(digestOf(document));
  });

  it.each<[string, readonly string[], unknown]>([
    ['other code', ['operation'], 'print("ä")\n'],
    ['another template', ['params', 'outputs'], 0],
    ['another runtime', ['runtime'], 'node'],
    ['another id', ['tid'], tokenId(6)],
    ['another creator', ['creator'], address(2)],
  ])('with %s are refused by the checksum', (_, keys, value) => {
    expect(() => parseOperator(changed(document, keys, value))).toThrowError(
      expect.objectContaining({ code, details: expect.objectContaining({ pointer: '/proof/checksum' }) }),
    );
  });

  it.each<[string, readonly string[], unknown, string]>([
    ['params as list', ['params'], [], '/params'],
    ['no code', ['operation'], '', '/operation'],
    ['an unknown key', ['version'], 1, '/'],
    ['no proof', ['proof'], undefined, '/'],
  ])('with %s are refused at its place', (_, keys, value, pointer) => {
    expect(() => parseOperator(changed(document, keys, value))).toThrowError(
      expect.objectContaining({ code, details: expect.objectContaining({ pointer }) }),
    );
  });
});

describe('the salt of an operator', () => {
  it('is its name, not its code: new versions keep the token', () => {
    const salt = saltOfOperator(content);
    expect(saltOfOperator({ ...content, operation: 'other', params: {}, runtime: 'node' })).toBe(salt);
    expect(saltOfOperator({ ...content, metadata: reversed(content.metadata) })).toBe(salt);
    const others: readonly JsonObject[] = [{ main: { ...content.metadata.main, name: 'op2' } }, { ...content.metadata, more: 1 }];
    for (const metadata of others) expect(saltOfOperator({ ...content, metadata: metadata as OperatorContent['metadata'] })).not.toBe(salt);
    expect(saltOfOperator(content, 'copy')).not.toBe(salt);
  });
});
