import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import { MODULES, isTwinObject, type TwinObject } from '@vantage/contracts';
import type { ApiTwinChanged } from '../api.ts';
import { pipelineUnknown, requestInvalid } from '../errors.ts';
import type { Twins } from '../hub/twins.ts';
import type { CheckedModel, Models } from './models.ts';

/** As much as the model store unpacks. */
const MAX_ZIP_BYTES = 2 * 1024 ** 3;

export async function modelRoutes(app: FastifyInstance, models: Models, twins: Twins): Promise<void> {
  await app.register(multipart, { limits: { files: 1, fields: 0, parts: 1, fileSize: MAX_ZIP_BYTES } });
  app.post('/api/models', { bodyLimit: MAX_ZIP_BYTES }, async (request) => {
    if (!request.isMultipart()) throw requestInvalid('a zip as multipart/form-data expected');
    const file = await request.file();
    if (!file) throw requestInvalid('a zip as multipart/form-data expected');
    return models.add(file.file);
  });
  app.post<{ Params: { id: string } }>('/api/models/:id/use', async ({ params, body }): Promise<ApiTwinChanged> => {
    const pipeline = isTwinObject(body) ? body['pipeline'] : undefined;
    if (typeof pipeline !== 'string') throw requestInvalid('the id of a pipeline expected', 'pipeline');
    const model = await models.get(params.id);
    const { etag } = await twins.get(MODULES.controller);
    return twins.set(MODULES.controller, etag, (desired) => withModel(desired, pipeline, model));
  });
}

/** @throws VantageError PIPELINE_UNKNOWN */
function withModel(desired: TwinObject, pipeline: string, { url, sha256, config }: CheckedModel): TwinObject {
  const changed = structuredClone(desired) as {
    azdaConfiguration?: { components?: { deepStream?: { pipelineConfigs?: TwinObject[] } } };
  };
  const configs = changed.azdaConfiguration?.components?.deepStream?.pipelineConfigs;
  const found = Array.isArray(configs)
    ? configs.findLast((one) => isTwinObject(one) && one['id'] === pipeline)
    : undefined;
  if (!found) throw pipelineUnknown(pipeline);
  Object.assign(found, { unsecureZipUrl: url, sha256, primaryModelConfigPath: config });
  return changed;
}
