import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** Sends what a browser would, and whatever else a test wants in the headers, which fetch would not let it set. */
export class PageClient {
  cookie: string | undefined;

  constructor(private readonly url: string) {}

  /** As the page asks, with the cookie that it was given. */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string | undefined> = {}): Promise<Answer> {
    const { origin } = new URL(this.url);
    const own = { 'x-dt-page': '1', origin, 'sec-fetch-site': 'same-origin', cookie: this.cookie, ...headers };
    const response = await this.open(method, path, body, own);
    const cookie = response.headers['set-cookie']?.[0]?.split(';')[0];
    if (cookie !== undefined) this.cookie = cookie.endsWith('=') ? undefined : cookie;
    const answer = await text(response);
    const isJson = /json/.test(response.headers['content-type'] ?? '');
    return { status: response.statusCode ?? 0, headers: response.headers, body: isJson ? JSON.parse(answer) : { text: answer } };
  }

  async open(method: string, path: string, body: unknown, headers: Record<string, string | undefined>): Promise<IncomingMessage> {
    const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const asked = request(new URL(path, this.url), {
      method,
      headers: { ...Object.fromEntries(given), ...(payload !== undefined && { 'content-type': 'application/json' }) },
    });
    asked.end(payload);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  }
}
