import type { FastifyInstance } from 'fastify';
import { isObject } from '@vantage/contracts';
import { redactDeep } from '@vantage/observability';
import { requestInvalid } from '../errors.ts';
import type { HubLink } from '../hub/hub-link.ts';

interface WhyQuery {
  Querystring: Partial<Record<'pipeline' | 'sensor' | 'at' | 'seconds', string>>;
}

/** `GET /api/why`: what became of a moment of a camera, from the ai-pipeline, and whether its clip is uploaded. */
export function whyRoutes(app: FastifyInstance, link: HubLink): void {
  app.get<WhyQuery>('/api/why', async ({ query }, reply) => {
    const { pipeline, sensor, at, seconds } = query;
    if (sensor === undefined || at === undefined) throw requestInvalid('"sensor" and "at" expected', 'sensor');
    // Epoch milliseconds are written as a number, everything else is for the module to read.
    const payload = {
      pipeline,
      sensor,
      at: /^\d+$/.test(at) ? Number(at) : at,
      ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    };
    return link.use(async (hub) => {
      const { status, payload: said } = await hub.invokeMethod('ai-pipeline', 'why', payload);
      if (status !== 200 || !isObject(said)) {
        void reply.status(status === 404 ? 404 : status === 400 ? 400 : 502);
        const { code, message } = isObject(said) ? said : {};
        return {
          code: typeof code === 'string' ? code : 'NOT_FOUND',
          message: typeof message === 'string' ? message : `status ${status}`,
        };
      }
      const clips = clipsIn(said);
      const uploaded = await Promise.all(
        clips.map(async (name) => {
          const answer = await hub.invokeMethod('VideoUploader', 'clip', { name }).catch(() => undefined);
          return [name, answer?.status === 200 ? answer.payload : { state: 'unknown' }] as const;
        }),
      );
      return redactDeep({ ...said, uploaded: Object.fromEntries(uploaded) });
    });
  });
}

const MAX_CLIPS = 8;

function clipsIn(said: Readonly<Record<string, unknown>>): string[] {
  const frames = Array.isArray(said['frames']) ? (said['frames'] as unknown[]) : [];
  const names = frames.flatMap((frame) =>
    isObject(frame) && typeof frame['clip'] === 'string' ? [frame['clip']] : [],
  );
  return [...new Set(names)].slice(0, MAX_CLIPS);
}
