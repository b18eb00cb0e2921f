import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import type { RequestHandler } from 'express';

/** Nothing inline, nothing evaluated, nothing from elsewhere, no frames; and no text ever becomes markup (trusted types). */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** esbuild's names: `main-7ZQW4K2A.js`. */
const HASHED = /-[0-9a-zA-Z]{8}\.\w+$/;

interface PageFile {
  readonly type: string;
  readonly isPage: boolean;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly brotli: Buffer;
}

/** The static build of the page: `/`, and beside it files, most of which carry the hash of their content in their names. */
export function servePage(folder = builtFolder()): RequestHandler {
  const files = new Map<string, PageFile>();
  return (request, response, next) => {
    const name = request.path === '/' ? '/index.html' : request.path;
    if ((request.method !== 'GET' && request.method !== 'HEAD') || !/^\/[\w-]+(\.[\w-]+)*\.(html|js|css|svg)$/.test(name)) return next();
    if (files.size === 0) readFolder(folder, files);
    const file = files.get(name);
    if (file === undefined) return next();
    response.set({
      'content-type': file.type,
      'cache-control': HASHED.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
      ...(file.isPage && { 'content-security-policy': PAGE_POLICY, 'permissions-policy': 'camera=(), geolocation=(), microphone=()' }),
    });
    const encoding = request.acceptsEncodings(['br', 'gzip']);
    if (encoding === 'br' || encoding === 'gzip') response.set('content-encoding', encoding);
    response.send(encoding === 'br' ? file.brotli : encoding === 'gzip' ? file.gzip : file.plain);
  };
}

/** Compressed when the first one asks, not at every start; a few hundred kB, for the life of the daemon. */
function readFolder(folder: string | undefined, files: Map<string, PageFile>): void {
  if (folder === undefined) return;
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const plain = readFileSync(join(folder, name));
    const brotli = brotliCompressSync(plain, { params: { [zlib.BROTLI_PARAM_QUALITY]: 9 } });
    files.set(`/${name}`, { type, isPage: name.endsWith('.html'), plain, gzip: gzipSync(plain), brotli });
  }
}

/** Beside the built program, or in the build when the sources run. */
function builtFolder(): string | undefined {
  const folders = ['./web/', '../../../dist/web/'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, 'index.html')));
}
