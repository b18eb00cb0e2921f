import express, { type Request, type RequestHandler } from 'express';
import { parseJson } from '../../documents/canonical.js';

/** The bytes of the body as they came, which is what signatures cover. */
export const rawBodyOf = (request: Request): Uint8Array => (request as Request & { rawBody?: Uint8Array }).rawBody ?? new Uint8Array();

/** Reads JSON bodies up to the limit, by our own parser with its bounds; other content types bring no body. @throws DT_INPUT_* */
export function jsonBody(limitBytes: number): RequestHandler[] {
  return [
    express.raw({ type: 'application/json', limit: limitBytes }),
    (request, _response, next) => {
      if (Buffer.isBuffer(request.body)) {
        Object.assign(request, { rawBody: request.body });
        request.body = request.body.length === 0 ? {} : parseJson(request.body, 'The body');
      }
      next();
    },
  ];
}
