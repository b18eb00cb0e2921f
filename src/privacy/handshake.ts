import { createHash } from 'node:crypto';
import { ToolkitError } from '../errors/toolkit-error.js';
import { type MessageLink, messageHeaderBytes } from './message-link.js';

/** One level of public values: what the parties must agree on before the first secret byte. */
export type Terms = Readonly<Record<string, string | number | boolean>>;

const maxTermsBytes = 16 * 1024;

/**
 * Compares the terms of a run (protocol, version, parameters, digest of the job spec) with one peer. They are public to the
 * parties, so they travel in full and the first difference is named with both values. Returns the SHA-256 of the canonical terms,
 * equal on both sides.
 *
 * Rounds: 1. Errors: DT_PEER_TERMS (names the field and both values), DT_PEER_PROTOCOL (not readable).
 */
export async function agreeOnTerms(link: MessageLink, terms: Terms): Promise<Uint8Array> {
  const text = canonical(terms);
  const bytes = Buffer.from(text, 'utf8');
  const framed = new Uint8Array(messageHeaderBytes + bytes.byteLength);
  framed.set(bytes, messageHeaderBytes);
  await link.send('terms', framed);
  const received = await link.receiveUpTo('terms', maxTermsBytes);
  const theirs = Buffer.from(received).toString('utf8');
  if (theirs !== text) throw firstDifference(terms, parseTerms(theirs, link), link);
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function canonical(terms: Terms): string {
  return JSON.stringify(Object.fromEntries(Object.entries(terms).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function parseTerms(text: string, link: MessageLink): Map<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  } catch {
    // Falls through to the one error below.
  }
  throw link.broken('its terms are not readable');
}

function firstDifference(ours: Terms, theirs: Map<string, unknown>, link: MessageLink): ToolkitError {
  // Protocol and version first: when they differ, the rest is bound to differ too.
  const fields = [...new Set(['protocol', 'version', ...Object.keys(ours), ...theirs.keys()])];
  for (const field of fields) {
    const mine = show(ours[field]);
    const other = show(theirs.get(field));
    if (mine !== other) return new ToolkitError('DT_PEER_TERMS', { field: field.slice(0, 60), ours: mine, theirs: other, peer: link.peer });
  }
  return link.broken('its terms are not in canonical form');
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : (JSON.stringify(value) ?? 'absent').replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 200);
}
