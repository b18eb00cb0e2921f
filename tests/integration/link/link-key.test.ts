import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinkKey, openLinkKey } from '../../../src/peers/link/link-key.js';
import { failure } from './link-world.js';

describe('a link key', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'link-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, readable by its owner only, and found again', async () => {
    const path = join(folder, 'keys', 'link.pem');
    const made = await openLinkKey(path);
    expect(made.publicKey).toMatch(/^0x[0-9a-f]{64}$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await openLinkKey(path)).publicKey).toBe(made.publicKey);
    expect(await readdir(join(folder, 'keys'))).toEqual(['link.pem']);
  });

  it('is the same for programs that start at once', async () => {
    const path = join(folder, 'link.pem');
    const keys = await Promise.all(Array.from({ length: 8 }, () => openLinkKey(path)));
    expect(new Set(keys.map((key) => key.publicKey)).size).toBe(1);
    expect(await readdir(folder)).toEqual(['link.pem']);
  });

  it('is refused when others may read it, when it is no key, or of another kind', async () => {
    const path = join(folder, 'link.pem');
    await openLinkKey(path);
    await chmod(path, 0o640);
    expect(await failure(openLinkKey(path))).toMatchObject({ code: 'DT_LINK_KEY_FILE', message: expect.stringContaining('mode 640') });
    await writeFile(path, 'secret words', { mode: 0o600 });
    await chmod(path, 0o600);
    const error = await failure(openLinkKey(path));
    expect(error.code).toBe('DT_LINK_KEY_FILE');
    expect(JSON.stringify(error) + String(error.stack)).not.toContain('secret words');
    await writeFile(path, generateKeyPairSync('x25519').privateKey.export({ format: 'pem', type: 'pkcs8' }));
    expect(await failure(openLinkKey(path))).toMatchObject({ code: 'DT_LINK_KEY_FILE', message: expect.stringContaining('x25519') });
    expect(await failure(openLinkKey(folder))).toMatchObject({ code: 'DT_LINK_KEY_FILE' });
  });

  it('is in no text that its holder is turned into', async () => {
    const path = join(folder, 'link.pem');
    const key = await openLinkKey(path);
    const secret = (await readFile(path, 'utf8')).split('\n')[1] as string;
    expect(key.identity.key).toContain(secret);
    const { inspect } = await import('node:util');
    expect(inspect(key, { depth: 5, showHidden: true }) + JSON.stringify(key)).not.toContain(secret);
  });

  it('signs its own certificate, which is equal for equal keys and does not expire', () => {
    const key = LinkKey.create();
    const certificate = new X509Certificate(key.identity.cert);
    const jwk = certificate.publicKey.export({ format: 'jwk' });
    expect(jwk.crv).toBe('Ed25519');
    expect(`0x${Buffer.from(jwk.x ?? '', 'base64url').toString('hex')}`).toBe(key.publicKey);
    expect(certificate.verify(createPublicKey(key.identity.key))).toBe(true);
    expect(certificate.verify(createPublicKey(LinkKey.create().identity.key))).toBe(false);
    expect(certificate.subject).toBe('CN=dt-link');
    expect(certificate.issuer).toBe('CN=dt-link');
    expect(new Date(certificate.validFrom).getTime()).toBe(0);
    expect(new Date(certificate.validTo).getUTCFullYear()).toBe(9999);
    expect(certificate.raw.length).toBe(208);
    expect(LinkKey.parse(key.identity.key, 'memory').identity.cert).toBe(key.identity.cert);
  });
});
