import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ToolkitError, toToolkitError } from '../../errors/toolkit-error.js';
import type { DaemonDeps } from '../deps.js';

/** Every failure leaves as problem+json (RFC 9457): code, message, hint, request id, and the details, which hold no secrets. */
export function problemHandler(deps: Pick<DaemonDeps, 'log'>): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) return next(thrown);
    const error = fromFramework(thrown);
    const requestId = String(response.getHeader('x-request-id'));
    if (error.httpStatus >= 500) deps.log.error({ err: thrown, requestId, path: request.path }, error.message);
    response.locals['code'] = error.code;
    const body = {
      type: `https://compute-to-data.invalid/errors#${error.code.toLowerCase()}`,
      title: error.code,
      status: error.httpStatus,
      // What failed inside is for the owner's log, not for strangers.
      detail:
        error.code === 'DT_BUG_UNEXPECTED'
          ? 'Something failed inside of the daemon; its owner finds it in the log by the request id.'
          : error.message,
      code: error.code,
      hint: error.hint,
      retryable: error.retryable,
      requestId,
      details: error.code === 'DT_BUG_UNEXPECTED' ? {} : error.details,
    };
    response
      .status(error.httpStatus)
      .type('application/problem+json')
      .send(JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? value.toString() : value)));
  };
}

export const notFound: RequestHandler = (request) => {
  throw new ToolkitError('DT_HTTP_NOT_FOUND', { path: request.path });
};

/** Errors of express, its body parser and the OpenAPI validator carry a status; the rest is ours or a bug. */
function fromFramework(thrown: unknown): ToolkitError {
  if (thrown instanceof ToolkitError) return thrown;
  const { status, type, limit, message, errors } = thrown as {
    status?: number;
    type?: string;
    limit?: number;
    message?: string;
    errors?: { path: string; message: string }[];
  };
  if (type === 'entity.too.large')
    return new ToolkitError('DT_INPUT_TOO_LARGE', { what: 'The body', actual: 'more', limit: `${limit} bytes` }, thrown);
  if (status === 404 || status === 405) return new ToolkitError('DT_HTTP_NOT_FOUND', { path: errors?.[0]?.path ?? '' }, thrown);
  if (status !== undefined && status >= 400 && status < 500) {
    const reason = errors?.map((error) => `${error.path}: ${error.message}`).join('; ') || message;
    return new ToolkitError('DT_INPUT_INVALID', { what: 'The request', reason }, thrown);
  }
  return toToolkitError(thrown);
}
