import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@vantage/contracts';
import { bodyTooLarge, invalidArgument } from '../errors.ts';

/** A deployment with its module twins fits many times over. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Of a body that is too large so much is read and thrown away, that its sender sees the answer. */
const MAX_DISCARDED_BYTES = 8 * MAX_BODY_BYTES;

/** Reads a JSON body; an empty one is undefined. @throws VantageError EDGE_INVALID_ARGUMENT, EDGE_BODY_TOO_LARGE */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size <= MAX_BODY_BYTES) chunks.push(bytes);
    else if (size > MAX_DISCARDED_BYTES) break;
  }
  if (size > MAX_BODY_BYTES) throw bodyTooLarge(MAX_BODY_BYTES);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalidArgument(`the body is not JSON: ${messageOf(error)}`, error);
  }
}

export interface HttpReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function writeReply(response: ServerResponse, reply: HttpReply): void {
  if (response.headersSent) return;
  const text = reply.body === undefined ? '' : JSON.stringify(reply.body);
  response.writeHead(reply.status, {
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(text),
    ...reply.headers,
  });
  response.end(text);
}
