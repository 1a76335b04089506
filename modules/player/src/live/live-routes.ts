import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { liveUnavailable, notFound } from '../errors.ts';
import { unanswered, type PipelineHttp } from './pipeline-http.ts';
import { relay } from './relay.ts';

interface LivePath {
  Params: { pipeline: string; file: string };
  /** 0: insights only, for who shows the picture in another way. */
  Querystring: { video?: string };
}

/**
 * `WS /api/live/<pipeline>/<sensor>` and `GET …/<sensor>.mjpeg` and `.jpg`, from the ai-pipeline; and of all cameras of a
 * pipeline `GET /api/live/<pipeline>.mjpeg` and `.jpg`.
 */
export function liveRoutes(app: FastifyInstance, pipeline: PipelineHttp): void {
  app.route<LivePath>({
    method: 'GET',
    url: '/api/live/:pipeline/:file',
    handler: (request, reply) => passOn(pipeline, [request.params.pipeline, request.params.file], reply),
    wsHandler: (socket, request) => {
      const { pipeline: id, file } = request.params;
      pipeline.url(id, file).then(
        (url) => {
          url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
          if (request.query.video === '0') url.searchParams.set('video', '0');
          relay(socket, url);
        },
        () => socket.close(1013, 'the ai-pipeline cannot be reached'),
      );
    },
  });
  app.get<{ Params: { file: string } }>('/api/live/:file', ({ params }, reply) =>
    passOn(pipeline, [params.file], reply),
  );
}

async function passOn(pipeline: PipelineHttp, path: readonly string[], reply: FastifyReply): Promise<FastifyReply> {
  if (!/\.(?:jpg|mjpeg)$/.test(path.at(-1) ?? '')) throw notFound('a picture of that name');
  const gone = new AbortController();
  // Nobody watches any more: the ai-pipeline stops to decode for it.
  reply.raw.on('close', () => gone.abort());
  const response = await fetch(await pipeline.url(...path), { signal: gone.signal }).catch((error: unknown) => {
    throw unanswered(error);
  });
  if (response.status === 404) throw notFound(`the camera ${path.join('/')}`);
  if (!response.ok || !response.body) throw liveUnavailable(`the ai-pipeline answered ${response.status}`);
  const body = Readable.fromWeb(response.body);
  // A stream that ends because its reader went away is no mistake.
  body.on('error', () => reply.raw.destroy());
  return reply
    .header('content-type', response.headers.get('content-type') ?? 'application/octet-stream')
    .header('cache-control', 'no-store')
    .send(body);
}
