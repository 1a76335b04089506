import { isObject } from '@vantage/contracts';
import type { MethodReply } from '@vantage/edge-client';
import type { Journal } from './journal.ts';

/** Answers direct method `clip {name}`: what became of a clip, with or without its extension. */
export function tellOfClip(journal: Journal, payload: unknown): MethodReply {
  const name = isObject(payload) ? payload['name'] : undefined;
  if (typeof name !== 'string') return { status: 400, payload: { message: 'name: the name of a clip is expected' } };
  const row = journal.get(name) ?? journal.get(`${name}.mp4`);
  if (row === undefined) return { status: 404, payload: { message: `no clip "${name}" has been seen` } };
  const { state, changedAtMs, stored, etag, md5, error, attempts, size } = row;
  return {
    status: 200,
    payload: {
      ...{ name: row.path, state, at: new Date(changedAtMs).toISOString(), bytes: size, attempts },
      ...(stored === undefined ? {} : { blob: stored, etag, md5 }),
      ...(error === undefined ? {} : { error }),
    },
  };
}
