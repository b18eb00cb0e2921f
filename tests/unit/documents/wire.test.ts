import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/documents/canonical.js';
import {
  authorizationHeader,
  type ComputeRequest,
  computeBody,
  type GrantRequest,
  grantBody,
  parseAuthorization,
  parseComputeBody,
  parseGrantBody,
} from '../../../src/documents/job/wire.js';
import { address, changed, tokenId } from './fixtures.js';

const envelope = { daemon: address(0xd), nonce: digestOf('nonce'), expiry: 1_800_000_000 };
const signature = `0x${'1f'.repeat(65)}`;
const compute: ComputeRequest = {
  type: 'compute',
  ...envelope,
  job: 2n ** 60n,
  algorithm: tokenId(20),
  dataToken: tokenId(1),
  spec: digestOf('spec'),
};
const grant: GrantRequest = { type: 'grant', ...envelope, composite: tokenId(10), dataToken: tokenId(1), until: 0 };
const through = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const codeOf = (code: string): unknown => expect.objectContaining({ code });

describe('requests over HTTP', () => {
  it('come back as they were sent', () => {
    expect(parseComputeBody(through(computeBody(compute, signature)))).toEqual({ request: compute, signature });
    const documents = [{ a: 1 }];
    expect(parseGrantBody(through(grantBody(grant, signature, documents)))).toEqual({ request: grant, signature, documents });
    expect(parseAuthorization(authorizationHeader(envelope, signature))).toEqual({ ...envelope, signature });
  });

  it.each(['arguments', 'parameters', 'operator', 'constraint', 'consumer', 'type', '__proto__', 'constructor'])(
    'may not name %s, at either level',
    (key) => {
      const body = JSON.stringify(computeBody(compute, signature));
      const member = `${JSON.stringify(key)}:1`;
      for (const text of [body.replace('{"request":{', `{"request":{${member},`), body.replace('{"request"', `{${member},"request"`)])
        expect(() => parseComputeBody(JSON.parse(text)), text).toThrowError(codeOf('DT_POLICY_FIXED_PARAMETER') as Error);
      const grantText = JSON.stringify(grantBody(grant, signature, []));
      for (const text of [
        grantText.replace('{"request":{', `{"request":{${member},`),
        grantText.replace('{"request"', `{${member},"request"`),
      ])
        expect(() => parseGrantBody(JSON.parse(text)), text).toThrowError(codeOf('DT_POLICY_FIXED_PARAMETER') as Error);
    },
  );

  it.each<[readonly string[], unknown, string]>([
    [['request'], undefined, 'DT_INPUT_INVALID'],
    [['request'], [], 'DT_INPUT_INVALID'],
    [['request', 'job'], '0', 'DT_INPUT_INVALID'],
    [['request', 'job'], undefined, 'DT_INPUT_INVALID'],
    [['request', 'algorithm'], 'dt:ownership:1', 'DT_INPUT_INVALID'],
    [['request', 'dataToken'], null, 'DT_INPUT_INVALID'],
    [['request', 'spec'], '0x', 'DT_INPUT_INVALID'],
    [['request', 'daemon'], 'localhost', 'DT_INPUT_INVALID'],
    [['request', 'nonce'], 5, 'DT_INPUT_INVALID'],
    [['request', 'expiry'], -1, 'DT_INPUT_INVALID'],
    [['request', 'expiry'], 1.5, 'DT_INPUT_INVALID'],
    [['request', 'expiry'], '1800000000', 'DT_INPUT_INVALID'],
    [['request', 'expiry'], 1e12, 'DT_INPUT_INVALID'],
    [['signature'], undefined, 'DT_AUTH_SIGNATURE_INVALID'],
    [['signature'], `${signature}00`, 'DT_AUTH_SIGNATURE_INVALID'],
    [['signature'], signature.slice(2), 'DT_AUTH_SIGNATURE_INVALID'],
  ])('with %j = %j are refused with %s', (keys, value, code) => {
    expect(() => parseComputeBody(changed(computeBody(compute, signature), keys, value))).toThrowError(codeOf(code) as Error);
  });

  it.each([[null], ['{}'], [[]], [1]])('%j is no request', (body) => {
    expect(() => parseComputeBody(body)).toThrowError(codeOf('DT_INPUT_INVALID') as Error);
    expect(() => parseGrantBody(body)).toThrowError(codeOf('DT_INPUT_INVALID') as Error);
  });

  it('a grant brings at most 64 documents', () => {
    const many = (count: number): unknown =>
      grantBody(
        grant,
        signature,
        Array.from({ length: count }, () => ({})),
      );
    expect(parseGrantBody(many(64)).documents).toHaveLength(64);
    expect(() => parseGrantBody(many(65))).toThrowError(codeOf('DT_INPUT_INVALID') as Error);
    expect(() => parseGrantBody({ ...(many(0) as object), documents: {} })).toThrowError(codeOf('DT_INPUT_INVALID') as Error);
  });

  it.each([undefined, '', 'Bearer x', 'DT ', 'DT a b', 'DT ***', `DT ${'a'.repeat(2001)}`, 'dt e30'])(
    'the header %j is no proof',
    (header) => {
      expect(() => parseAuthorization(header)).toThrowError(codeOf('DT_AUTH_MISSING') as Error);
    },
  );

  it.each([
    ['no json', 'xx'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no signature', JSON.stringify(envelope)],
  ])('a header that holds %s is refused', (_, text) => {
    expect(() => parseAuthorization(`DT ${Buffer.from(text).toString('base64url')}`)).toThrowError(
      codeOf('DT_AUTH_SIGNATURE_INVALID') as Error,
    );
  });
});
