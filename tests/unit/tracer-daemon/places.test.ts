import type { Response } from 'express';
import { describe, expect, it } from 'vitest';
import { ToolkitError } from '../../../src/errors/toolkit-error.js';
import { Places, streamPlaces, verifyPlaces } from '../../../src/tracer-daemon/web/places.js';

const requester = `0x${'ab'.repeat(20)}`;
/** Of a request by a token, or signed. */
const from = (subject?: string): Pick<Response, 'locals'> => ({
  locals: { requester, ...(subject !== undefined && { access: { role: 'viewer', subject } }) },
});
const refusal = (places: Places, response: Pick<Response, 'locals'>): unknown => {
  try {
    places.take(response);
  } catch (error) {
    return error instanceof ToolkitError ? { code: error.code, ...error.details } : error;
  }
  return undefined;
};

describe('places at a daemon', () => {
  it('are taken and given back, once', () => {
    const places = new Places('things', { each: 2, all: 3 });
    const [first] = [places.take(from('a')), places.take(from('a'))];
    expect(refusal(places, from('a'))).toEqual({ code: 'DT_HTTP_BUSY', who: 'a', limit: 2, what: 'things' });
    const other = places.take(from('b'));
    expect(refusal(places, from('c'))).toEqual({ code: 'DT_HTTP_BUSY', who: requester, limit: 3, what: 'things' });
    expect(refusal(places, from())).toMatchObject({ code: 'DT_HTTP_BUSY', limit: 3 });
    first?.();
    first?.();
    places.take(from());
    expect(refusal(places, from('a'))).toMatchObject({ limit: 3 });
    other();
    places.take(from('a'));
    expect(refusal(places, from('a'))).toMatchObject({ limit: 2 });
  });

  it('of those who sign leave room for whom the owner has let in, however many keys they sign with', () => {
    const places = streamPlaces();
    const taken = Array.from({ length: 500 }, () => places.take(from()));
    expect(refusal(places, from())).toMatchObject({ code: 'DT_HTTP_BUSY', limit: 500 });
    expect(refusal(places, from('page of the owner'))).toBeUndefined();
    taken[0]?.();
    taken[0]?.();
    expect(refusal(places, from())).toBeUndefined();
    expect(refusal(places, from())).toMatchObject({ limit: 500 });
  });

  it.each([
    ['event streams', streamPlaces, 32, 1000],
    ['verifications', verifyPlaces, 1, 4],
  ] as const)('of %s are bounded for each token and at the daemon', (what, make, each, all) => {
    const places = make();
    let taken = 0;
    for (let token = 0; taken < all; token += 1)
      for (let i = 0; i < each && taken < all; i += 1) {
        places.take(from(`token ${token}`));
        taken += 1;
        if (i === each - 1 && taken < all) expect(refusal(places, from(`token ${token}`))).toMatchObject({ limit: each, what });
      }
    expect(refusal(places, from('one more'))).toEqual({ code: 'DT_HTTP_BUSY', who: requester, limit: all, what });
  });
});
