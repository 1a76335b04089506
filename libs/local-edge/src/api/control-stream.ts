import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { UpstreamMessage } from '../hub/message.ts';

/**
 * Writes lines as they come, no faster than the reader takes them. Resolves when the source has ended or the reader is
 * gone; the signal the source is made with aborts then.
 */
export async function streamLines(
  response: ServerResponse,
  contentType: string,
  source: (signal: AbortSignal) => AsyncIterable<string>,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    for await (const line of source(gone.signal)) {
      if (gone.signal.aborted) return;
      if (!response.write(`${line}\n`)) await once(response, 'drain', { signal: gone.signal });
    }
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    // Cut off, so that the reader does not take what it has for all there is.
    response.destroy();
    throw error;
  } finally {
    gone.abort();
  }
}

/** Text stays text, so that people can read it; other bodies become `bodyBase64`. */
export function serializeUpstream({ body, ...rest }: UpstreamMessage): object {
  const text = body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(body)
    ? { ...rest, body: text }
    : { ...rest, bodyBase64: body.toString('base64') };
}
