import { AbiCoder, concat, id, keccak256, toUtf8Bytes, Wallet } from 'ethers';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/documents/canonical.js';
import { type Bytes32, bytes32OfToken, parseAddress } from '../../../src/documents/ids.js';
import {
  hashToSign,
  type ReceiptSeal,
  receiptTypedData,
  recoverReceiptSigner,
  recoverSigner,
  type SignatureDomain,
  type SignedRequest,
  typedDataOf,
} from '../../../src/documents/job/typed-data.js';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { address, tokenId } from './fixtures.js';

const wallet = new Wallet(`0x${'11'.repeat(32)}`);
const signer = parseAddress(wallet.address);
const domain: SignatureDomain = { chainId: 1337, market: address(0xfeed) };
const nonce = digestOf('nonce');
const envelope = { daemon: address(0xd), nonce, expiry: 1_800_000_000 };

const compute: SignedRequest = {
  type: 'compute',
  ...envelope,
  job: 2n ** 200n + 1n,
  algorithm: tokenId(20),
  dataToken: tokenId(1),
  spec: digestOf('spec'),
};
const grant: SignedRequest = { type: 'grant', ...envelope, composite: tokenId(10), dataToken: tokenId(1), until: 1_900_000_000 };
const http: SignedRequest = { type: 'http', ...envelope, method: 'GET', path: '/v1/jobs/3?follow=1&ä=😀', body: digestOf('') };
const seal: ReceiptSeal = { job: 3n, dataToken: tokenId(1), receipt: digestOf('receipt') };

const sign = async (request: SignedRequest, where = domain, by = wallet): Promise<string> => {
  const { domain: d, types, values } = typedDataOf(where, request);
  return by.signTypedData(d, types, values);
};

/** EIP-712 written out by hand: keccak256("\x19\x01" ‖ domainSeparator ‖ hashStruct(message)). */
function byHand(where: SignatureDomain, type: string, fields: readonly (readonly [kind: string, value: unknown])[]): string {
  const coder = AbiCoder.defaultAbiCoder();
  const struct = (head: string, members: readonly (readonly [string, unknown])[]): string =>
    keccak256(
      concat([
        id(head),
        ...members.map(([kind, value]) => (kind === 'string' ? keccak256(toUtf8Bytes(String(value))) : coder.encode([kind], [value]))),
      ]),
    );
  const separator = struct('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)', [
    ['string', 'compute-to-data'],
    ['string', '1'],
    ['uint256', where.chainId],
    ['address', where.market],
  ]);
  return keccak256(concat(['0x1901', separator, struct(type, fields)]));
}

const common = [
  ['address', envelope.daemon],
  ['bytes32', envelope.nonce],
  ['uint64', envelope.expiry],
] as const;

describe('the bytes that are signed', () => {
  it('are those of EIP-712, computed independently', () => {
    expect(hashToSign(domain, compute)).toBe(
      byHand(
        domain,
        'ComputeRequest(uint256 job,bytes32 algorithm,bytes32 dataToken,bytes32 spec,address daemon,bytes32 nonce,uint64 expiry)',
        [
          ['uint256', 2n ** 200n + 1n],
          ['bytes32', bytes32OfToken(tokenId(20))],
          ['bytes32', bytes32OfToken(tokenId(1))],
          ['bytes32', digestOf('spec')],
          ...common,
        ],
      ),
    );
    expect(hashToSign(domain, grant)).toBe(
      byHand(domain, 'GrantRequest(bytes32 composite,bytes32 dataToken,uint64 until,address daemon,bytes32 nonce,uint64 expiry)', [
        ['bytes32', bytes32OfToken(tokenId(10))],
        ['bytes32', bytes32OfToken(tokenId(1))],
        ['uint64', 1_900_000_000],
        ...common,
      ]),
    );
    expect(hashToSign(domain, http)).toBe(
      byHand(domain, 'HttpRequest(string method,string path,bytes32 body,address daemon,bytes32 nonce,uint64 expiry)', [
        ['string', 'GET'],
        ['string', '/v1/jobs/3?follow=1&ä=😀'],
        ['bytes32', digestOf('')],
        ...common,
      ]),
    );
  });

  it('of a receipt recover to who sealed it', async () => {
    const data = receiptTypedData(domain, seal);
    const signature = await wallet.signTypedData(data.domain, data.types, data.values);
    expect(recoverReceiptSigner(domain, seal, signature)).toBe(signer);
    const expected = byHand(domain, 'Receipt(uint256 job,bytes32 dataToken,bytes32 receipt)', [
      ['uint256', 3],
      ['bytes32', bytes32OfToken(tokenId(1))],
      ['bytes32', digestOf('receipt')],
    ]);
    expect(wallet.signingKey.sign(expected).serialized).toBe(signature);
    const others: readonly (readonly [SignatureDomain, ReceiptSeal])[] = [
      [{ ...domain, chainId: 1 }, seal],
      [{ ...domain, market: address(1) }, seal],
      [domain, { ...seal, job: 4n }],
      [domain, { ...seal, dataToken: tokenId(2) }],
      [domain, { ...seal, receipt: digestOf('other') }],
    ];
    for (const [where, what] of others) expect(recoverReceiptSigner(where, what, signature)).not.toBe(signer);
  });

  it('differ between the kinds of request', () => {
    expect(new Set([compute, grant, http].map((request) => hashToSign(domain, request))).size).toBe(3);
  });
});

describe('recoverSigner', () => {
  it.each([
    ['compute', compute],
    ['grant', grant],
    ['http', http],
  ] as const)('gives who signed a %s request', async (_, request) => {
    const signature = await sign(request);
    expect(recoverSigner(domain, request, signature)).toBe(signer);
    expect(recoverSigner(domain, request, signature.toUpperCase().replace('0X', '0x'))).toBe(signer);
  });

  const changes: readonly (readonly [string, SignedRequest, SignedRequest])[] = [
    ['job', compute, { ...compute, job: 5n }],
    ['algorithm', compute, { ...compute, algorithm: tokenId(21) }],
    ['data token', compute, { ...compute, dataToken: tokenId(2) }],
    ['tokens exchanged', compute, { ...compute, algorithm: tokenId(1), dataToken: tokenId(20) }],
    ['spec', compute, { ...compute, spec: digestOf('other') }],
    ['composite', grant, { ...grant, composite: tokenId(11) }],
    ['granted token', grant, { ...grant, dataToken: tokenId(2) }],
    ['end of the grant', grant, { ...grant, until: 0 }],
    ['method', http, { ...http, method: 'DELETE' }],
    ['path', http, { ...http, path: '/v1/jobs/4?follow=1&ä=😀' }],
    ['query', http, { ...http, path: '/v1/jobs/3?follow=0&ä=😀' }],
    ['body', http, { ...http, body: digestOf('x') }],
    ...[compute, grant, http].flatMap((request): readonly (readonly [string, SignedRequest, SignedRequest])[] => [
      [`daemon of ${request.type}`, request, { ...request, daemon: address(0xe) }],
      [`nonce of ${request.type}`, request, { ...request, nonce: digestOf('other') }],
      [`expiry of ${request.type}`, request, { ...request, expiry: envelope.expiry + 1 }],
    ]),
  ];
  it.each(changes)('gives somebody else when the %s is another', async (_, request, other) => {
    expect(recoverSigner(domain, other, await sign(request))).not.toBe(signer);
  });

  it('gives somebody else on another chain and at another contract', async () => {
    const signature = await sign(compute);
    expect(recoverSigner({ ...domain, chainId: 1 }, compute, signature)).not.toBe(signer);
    expect(recoverSigner({ ...domain, market: address(2) }, compute, signature)).not.toBe(signer);
  });

  it.each([
    ['nothing', ''],
    ['no hex', 'signature'],
    ['too short', '0x1234'],
    ['64 zeroes', `0x${'00'.repeat(64)}`],
    ['65 zeroes', `0x${'00'.repeat(65)}`],
    ['too long', `0x${'11'.repeat(66)}`],
    ['r beyond the curve', `0x${'ff'.repeat(32)}${'11'.repeat(32)}1b`],
    ['an impossible v', `0x${'11'.repeat(64)}63`],
  ])('refuses %s', (_, signature) => {
    expect(() => recoverSigner(domain, compute, signature)).toThrowError(expect.objectContaining({ code: 'DT_AUTH_SIGNATURE_INVALID' }));
    expect(() => recoverReceiptSigner(domain, seal, signature)).toThrowError(
      expect.objectContaining({ code: 'DT_AUTH_SIGNATURE_INVALID' }),
    );
  });

  it('refuses requests whose numbers the types cannot hold, as a ToolkitError', async () => {
    const signature = await sign(compute);
    const broken: readonly SignedRequest[] = [
      { ...compute, job: -1n },
      { ...compute, job: 2n ** 256n },
      { ...compute, expiry: -1 },
      { ...compute, spec: '0x12' as Bytes32 },
    ];
    for (const request of broken) expect(() => recoverSigner(domain, request, signature)).toThrowError(ToolkitError);
  });

  it('has no second form of a signature with a high s', async () => {
    const signature = await sign(compute);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt(`0x${signature.slice(66, 130)}`);
    const twin = `0x${signature.slice(2, 66)}${(order - s).toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
    expect(() => recoverSigner(domain, compute, twin)).toThrowError(ToolkitError);
  });
});
