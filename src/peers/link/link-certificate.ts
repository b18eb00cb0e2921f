import { createPublicKey, type KeyObject, sign } from 'node:crypto';

// DER tags that a certificate needs.
const integer = 0x02;
const bitString = 0x03;
const utf8String = 0x0c;
const sequence = 0x30;
const set = 0x31;
const utcTime = 0x17;
const generalizedTime = 0x18;

const ed25519 = der(sequence, Buffer.from('06032b6570', 'hex'));
const commonName = Buffer.from('0603550403', 'hex');

/**
 * The self-signed X.509 certificate (RFC 5280, RFC 8410) that carries an Ed25519 key through TLS; PEM. Version 1, no extensions,
 * valid for ever: peers compare the key with the one on chain and nothing else, so there is nothing more to state. Equal for
 * equal keys.
 */
export function linkCertificate(privateKey: KeyObject): string {
  const name = der(sequence, der(set, der(sequence, commonName, der(utf8String, Buffer.from('dt-link')))));
  // RFC 5280 names this end for a certificate that does not expire.
  const validity = der(sequence, der(utcTime, Buffer.from('700101000000Z')), der(generalizedTime, Buffer.from('99991231235959Z')));
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const body = der(sequence, der(integer, Buffer.of(1)), ed25519, name, validity, name, publicKey);
  const certificate = der(sequence, body, ed25519, der(bitString, Buffer.of(0), sign(null, body, privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** Tag, length, contents. The whole certificate has 208 bytes, so lengths of one byte (128 to 255 marked by 81) do. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const header = contents.length < 128 ? [tag, contents.length] : [tag, 0x81, contents.length];
  return Buffer.concat([Buffer.from(header), contents]);
}
