import { canonicalBytes, sha256 } from '../../documents/canonical.js';
import { parseDecision } from '../../documents/decision/decision.js';
import { parseJobSpec } from '../../documents/job/job-spec.js';
import { recoverReceiptSigner, recoverSigner } from '../../documents/job/typed-data.js';
import { parseComputeBody } from '../../documents/job/wire.js';
import { type EvidenceName, evidenceNames } from '../../documents/receipt/evidence.js';
import { digestOfReceipt, parseSignedReceipt } from '../../documents/receipt/receipt.js';
import { ToolkitError } from '../../errors/toolkit-error.js';
import type { Checks } from './checks.js';
import { type GivenEvidence, isWhole, type ReadEvidence } from './given-evidence.js';

/**
 * Reads one party's documents, and checks what they say of each other without the chain: that each has one spelling, that the receipt is
 * signed by the owner that it names, and that request, job spec and decision are those that it names.
 * @returns undefined when there is no receipt that can be read
 */
export function readEvidence(given: GivenEvidence, checks: Checks): ReadEvidence | undefined {
  const { documents, flaw, of } = given;
  if (documents.receipt === undefined) return undefined;
  if (flaw !== undefined) checks.holds('form', given.source, false, 'evidence as it is handed out', flaw);
  const values = new Map<EvidenceName, unknown>();
  for (const name of evidenceNames) {
    const bytes = documents[name];
    if (bytes !== undefined) values.set(name, parseBytes(bytes, `${name}.json`, checks));
  }
  const signed = checks.attempt('receipt', 'receipt.json', 'a signed receipt, version 2', () => parseSignedReceipt(values.get('receipt')));
  if (signed === undefined) return undefined;
  const { receipt, signature } = signed;
  checks.holds('receipt', 'receipt.json', true, '', '');
  if (of !== undefined) {
    checks.same('party', 'receipt.json#/receipt/token', of.token, receipt.token);
    checks.same('party', 'receipt.json#/receipt/owner', of.owner, receipt.owner);
  }
  const seal = { job: BigInt(receipt.job), dataToken: receipt.token, receipt: digestOfReceipt(receipt) };
  const signer = checks.attempt('signature', 'receipt.json#/signature', `the signature of ${receipt.owner}`, () =>
    recoverReceiptSigner(receipt.chain, seal, signature),
  );
  if (signer !== undefined) checks.same('signature', 'receipt.json#/signature', receipt.owner, signer);
  const named = <T>(name: 'request' | 'spec' | 'decision', parse: (value: unknown) => T): T | undefined => {
    const at = `${name}.json`;
    const bytes = documents[name];
    if (bytes === undefined) {
      if (isWhole(given)) checks.holds(name, at, false, `the ${name} with the digest ${receipt[name]}`, 'it is missing');
      else checks.skip(name, at, `the ${name} with the digest ${receipt[name]}`);
      return undefined;
    }
    if (!checks.same(name, at, receipt[name], sha256(bytes))) return undefined;
    return checks.attempt(name, at, `a ${name}`, () => parse(values.get(name)));
  };
  const body = named('request', parseComputeBody);
  const request =
    body &&
    checks.attempt('request', 'request.json#/signature', 'a signature', () => ({
      ...body,
      signer: recoverSigner(receipt.chain, body.request, body.signature),
    }));
  return {
    given,
    checks,
    signed,
    digest: sha256(canonicalBytes(signed)),
    request,
    spec: named('spec', parseJobSpec),
    decision: named('decision', parseDecision),
  };
}

const LONGEST_BYTES = 64 << 20;

/** JSON in its canonical bytes, as it is handed out: any other spelling of the same would be a change that nobody sees. */
function parseBytes(bytes: Uint8Array, at: string, checks: Checks): unknown {
  return checks.attempt('form', at, 'the canonical bytes of a JSON document (RFC 8785)', () => {
    if (bytes.length > LONGEST_BYTES)
      throw new ToolkitError('DT_INPUT_TOO_LARGE', { what: at, actual: `${bytes.length} bytes`, limit: `${LONGEST_BYTES} bytes` });
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch (error) {
      throw new ToolkitError('DT_INPUT_JSON', { what: at, reason: (error as Error).message });
    }
    checks.holds('form', at, Buffer.compare(canonicalBytes(value), bytes) === 0, 'the canonical bytes of its JSON (RFC 8785)', 'others');
    return value;
  });
}
