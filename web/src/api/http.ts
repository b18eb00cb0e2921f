/** A refusal of the daemon: RFC 9457 problem+json, or what stands for one when there is no answer. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly requestId?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

export const problemOf = (error: unknown): Problem =>
  error instanceof ProblemError
    ? error.problem
    : {
        status: 0,
        code: 'DT_PAGE',
        detail: error instanceof Error ? error.message : String(error),
        hint: '',
        retryable: true,
        details: {},
      };

/** Relative, so that a proxy may serve the page under a path of its own. */
const at = (path: string): string => `.${path}`;

/** Speaks to the daemon that served this page. Tells when it says that the session is over. */
export class Http {
  constructor(private readonly onSignedOut: () => void) {}

  get<T>(path: string): Promise<T> {
    return this.ask<T>('GET', path);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.ask<T>('POST', path, body);
  }

  delete(path: string): Promise<void> {
    return this.ask<void>('DELETE', path);
  }

  async text(path: string): Promise<string> {
    return (await this.send('GET', path)).text();
  }

  readonly url = at;

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  private async send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { 'x-dt-page': '1' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(at(path), { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }).catch(() => {
      throw new ProblemError({ status: 0, code: 'DT_PAGE_OFFLINE', detail: '', hint: '', retryable: true, details: {} });
    });
    if (response.ok) return response;
    const problem = await readProblem(response);
    if (response.status === 401 && problem.code === 'DT_AUTH_SESSION' && path !== '/v1/session/secret') this.onSignedOut();
    throw new ProblemError(problem);
  }
}

async function readProblem(response: Response): Promise<Problem> {
  const fallback = {
    status: response.status,
    code: `HTTP ${response.status}`,
    detail: response.statusText,
    hint: '',
    retryable: false,
    details: {},
  };
  try {
    return { ...fallback, ...((await response.json()) as Partial<Problem>) };
  } catch {
    return fallback;
  }
}
