import type { FastifyInstance } from 'fastify';
import { TWIN_BLOB_LIMITS, isTwinObject } from '@vantage/contracts';
import { requestInvalid } from '../errors.ts';
import { readChange, type Twins } from './twins.ts';

interface ModulePath {
  Params: { module: string };
}

/** Desired properties with the values that lie in blobs. */
const TWIN_BODY_LIMIT = 2 * TWIN_BLOB_LIMITS.bytes;

export function twinRoutes(app: FastifyInstance, twins: Twins): void {
  const options = { bodyLimit: TWIN_BODY_LIMIT };
  app.get<ModulePath>('/api/twin/:module', ({ params }) => twins.get(moduleIn(params)));
  app.post<ModulePath>('/api/twin/:module/plan', options, ({ params, body }) =>
    twins.plan(moduleIn(params), readChange(body)),
  );
  app.post<ModulePath>('/api/twin/:module', options, ({ params, body }) =>
    twins.change(moduleIn(params), readChange(body)),
  );
  app.get<ModulePath>('/api/twin/:module/history', ({ params }) => twins.history(moduleIn(params)));
  app.post<ModulePath>('/api/twin/:module/rollback', options, ({ params, body }) => {
    const { steps = 1, etag } = isTwinObject(body) ? body : {};
    if (typeof steps !== 'number' || !Number.isInteger(steps) || steps < 1) {
      throw requestInvalid('a whole number, 1 or more, expected', 'steps');
    }
    return twins.rollBack(moduleIn(params), steps, etag);
  });
  app.put<{ Params: { sensor: string } }>('/api/regions/:sensor', options, ({ params, body }) => {
    const { regions, etag } = isTwinObject(body) ? body : {};
    return twins.setRegions(params.sensor, regions, etag);
  });
}

/** Not those of the runtime itself: theirs hold the credentials of registries and modules. */
function moduleIn({ module }: ModulePath['Params']): string {
  if (/^[\w.-]{1,128}$/.test(module)) return module;
  throw requestInvalid('the id of a module expected', 'module');
}
