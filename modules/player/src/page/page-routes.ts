import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../errors.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
const COMPRESSED = /\.(?:html|js|css|json|svg|webmanifest)$/;

interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip?: Buffer;
  readonly etag: string;
}

/**
 * The built page, once there is one; until then a sentence that says so. It is small and held in memory: an address
 * finds one of its files or the page itself, and never anything else of the disk.
 */
export class Page {
  #files: ReadonlyMap<string, PageFile> = new Map();
  #notice = 'The page is being built; it will be here in a moment.';

  register(app: FastifyInstance): void {
    app.get('/*', (request, reply) => this.#send((request.params as { '*': string })['*'], request, reply));
  }

  async ready(folder: string): Promise<void> {
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile() && Object.hasOwn(TYPES, path.extname(entry.name)));
    this.#files = new Map(
      await Promise.all(
        files.map(async ({ parentPath, name }): Promise<[string, PageFile]> => {
          const file = path.join(parentPath, name);
          return [path.relative(folder, file), pageFile(name, await readFile(file))];
        }),
      ),
    );
  }

  /** @param why for people */
  missing(why: string): void {
    this.#notice = why;
  }

  #send(name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (name.startsWith('api/') || name.startsWith('media/')) throw notFound(`/${name}`);
    // Addresses inside of the page are the page; a file of it that is not there is none.
    const file = this.#files.get(name) ?? (path.extname(name) === '' ? this.#files.get('index.html') : undefined);
    if (!file) {
      if (this.#files.size > 0) throw notFound(`/${name.slice(0, 200)}`);
      return reply.type('text/html; charset=utf-8').header('refresh', '2').send(this.#notice);
    }
    // Names with a hash in them never change what they hold.
    const lasts = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    void reply
      .type(file.type)
      .header('cache-control', lasts)
      .header('etag', file.etag)
      .header('vary', 'accept-encoding');
    if (request.headers['if-none-match'] === file.etag) return reply.status(304).send();
    const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (!takesGzip || !file.gzip) return reply.send(file.body);
    return reply.header('content-encoding', 'gzip').send(file.gzip);
  }
}

function pageFile(name: string, body: Buffer): PageFile {
  return {
    type: TYPES[path.extname(name)] ?? 'application/octet-stream',
    body,
    ...(COMPRESSED.test(name) ? { gzip: gzipSync(body) } : {}),
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  };
}
