import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { liveUnavailable, notFound } from '../errors.ts';
import { unanswered, type PipelineHttp } from './pipeline-http.ts';
import { relay } from './relay.ts';

interface LivePath {
  Params: { pipeline: string; file: string };
  /** 0: insights only, for who shows the picture in another way. */
  Querystring: { video?: string };
}

/** `WS /api/live/<pipeline>/<sensor>` and `GET …/<sensor>.mjpeg` and `.jpg`, from the ai-pipeline. */
export function liveRoutes(app: FastifyInstance, pipeline: PipelineHttp): void {
  app.route<LivePath>({
    method: 'GET',
    url: '/api/live/:pipeline/:file',
    handler: (request, reply) => passOn(pipeline, request, reply),
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
}

async function passOn(
  pipeline: PipelineHttp,
  request: FastifyRequest<LivePath>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { pipeline: id, file } = request.params;
  if (!/\.(?:jpg|mjpeg)$/.test(file)) throw notFound('a picture of that name');
  const gone = new AbortController();
  // Nobody watches any more: the ai-pipeline stops to decode for it.
  reply.raw.on('close', () => gone.abort());
  const response = await fetch(await pipeline.url(id, file), { signal: gone.signal }).catch((error: unknown) => {
    throw unanswered(error);
  });
  if (response.status === 404) throw notFound(`the camera ${id}/${file}`);
  if (!response.ok || !response.body) throw liveUnavailable(`the ai-pipeline answered ${response.status}`);
  const body = Readable.fromWeb(response.body);
  // A stream that ends because its reader went away is no mistake.
  body.on('error', () => reply.raw.destroy());
  return reply
    .header('content-type', response.headers.get('content-type') ?? 'application/octet-stream')
    .header('cache-control', 'no-store')
    .send(body);
}
