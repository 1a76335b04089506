import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { setTimeout as after } from 'node:timers/promises';
import type { ApiClip, ApiClips, ApiClipSource, ApiTimeline } from '../api.ts';
import { notFound, requestInvalid, storageFailed } from '../errors.ts';
import { readRange } from './byte-range.ts';
import type { ClipFilter, ClipIndex, IndexedClip, PlacedFile } from './clip-index.ts';
import type { DetailsReader } from './details.ts';
import type { MediaUrls } from './media-urls.ts';
import type { Thumbnails } from './thumbnails.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
/** Of a longer list only so many are read at once; the rest is asked for by name when somebody looks at it. */
const MAX_READ = 100;
/** A list does not wait longer for what the JSON files say; the next one has it. */
const PATIENCE_MS = 25;
const BUCKETS = 96;
const TYPES = { video: 'video/mp4', overlay: 'video/mp4', json: 'application/json' } as const;

export interface ClipParts {
  readonly index: ClipIndex;
  readonly details: DetailsReader;
  readonly urls: MediaUrls;
  readonly thumbnails: Thumbnails;
  readonly sources: () => { readonly device: ApiClipSource; readonly storage: ApiClipSource };
  /** Address of this server for ffmpeg. */
  readonly self: () => string;
}

interface ClipQuery {
  Querystring: Partial<Record<'sensor' | 'from' | 'to' | 'limit' | 'before', string>> & {
    /** These clips only, as far as they are still there. */
    readonly name?: string | readonly string[];
  };
}

export function clipRoutes(app: FastifyInstance, parts: ClipParts): void {
  app.get<ClipQuery>('/api/clips', ({ query }) => listClips(parts, query));
  app.get<ClipQuery>('/api/clips/timeline', ({ query }) => timeline(parts, query));
  app.get<{ Params: { signed: string } }>('/media/:signed', (request, reply) => media(parts, request, reply));
}

async function listClips(parts: ClipParts, query: ClipQuery['Querystring']): Promise<ApiClips> {
  const { index, details } = parts;
  const limit = Math.min(query.limit === undefined ? DEFAULT_LIMIT : Number(query.limit), MAX_LIMIT);
  if (!Number.isInteger(limit) || limit < 1) throw requestInvalid('a whole number, 1 or more, expected', 'limit');
  const filter = readFilter(query);
  await refresh(parts);
  const all = query.name === undefined ? index.find(filter) : named(index, query.name);
  const start = query.before === undefined ? 0 : behind(all, query.before);
  const page = all.slice(start, start + limit);
  const read = page.slice(0, MAX_READ);
  details.want(read);
  if (read.some((clip) => details.get(clip) === undefined)) await after(PATIENCE_MS);
  const last = page.at(-1);
  return {
    clips: page.map((clip) => describe(parts, clip)),
    sensors: index.sensors,
    total: all.length,
    ...(last !== undefined && start + limit < all.length ? { next: cursor(last) } : {}),
    sources: parts.sources(),
  };
}

function named(index: ClipIndex, names: string | readonly string[]): IndexedClip[] {
  return [names].flat().flatMap((name) => index.get(name) ?? []);
}

async function refresh({ index, details }: ClipParts): Promise<void> {
  await index.refresh();
  const unnamed = index.unnamed;
  details.want(unnamed);
  if (unnamed.some((clip) => details.get(clip) === undefined)) await after(PATIENCE_MS);
  for (const clip of unnamed) {
    const sensor = details.get(clip)?.sensor;
    if (sensor !== undefined) index.learn(clip.pipeline, sensor);
  }
}

async function timeline(parts: ClipParts, query: ClipQuery['Querystring']): Promise<ApiTimeline> {
  const { index, details } = parts;
  await refresh(parts);
  const clips = index.find(readFilter(query));
  const fromMs = query.from === undefined ? (clips.at(-1)?.startedAtMs ?? 0) : Date.parse(query.from);
  const toMs = query.to === undefined ? (clips[0]?.startedAtMs ?? 0) : Date.parse(query.to);
  const bucketSeconds = Math.max(1, Math.ceil((toMs - fromMs) / 1000 / BUCKETS));
  const buckets = new Map<number, { clips: number; seconds: number }>();
  for (const clip of clips) {
    const at = Math.floor((clip.startedAtMs - fromMs) / 1000 / bucketSeconds);
    const bucket = buckets.get(at) ?? { clips: 0, seconds: 0 };
    bucket.clips += 1;
    bucket.seconds += details.get(clip)?.seconds ?? 0;
    buckets.set(at, bucket);
  }
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    bucketSeconds,
    buckets: [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([at, bucket]) => ({ at: new Date(fromMs + at * bucketSeconds * 1000).toISOString(), ...bucket })),
  };
}

function describe({ details, urls }: ClipParts, clip: IndexedClip): ApiClip {
  const said = details.get(clip) ?? undefined;
  const { name, pipeline, startedAtMs, where, files } = clip;
  return {
    name,
    pipeline,
    sensor: clip.sensor === '' ? (said?.sensor ?? '') : clip.sensor,
    startedAt: new Date(startedAtMs).toISOString(),
    seconds: said?.seconds ?? null,
    bytes: files.video?.bytes ?? 0,
    objects: said?.objects ?? null,
    labels: said?.labels ?? [],
    events: said?.events ?? null,
    where,
    videoUrl: urls.url(name, 'video'),
    ...(files.overlay ? { overlayUrl: urls.url(name, 'overlay') } : {}),
    ...(files.json ? { jsonUrl: urls.url(name, 'json') } : {}),
    thumbUrl: urls.url(name, 'thumb'),
  };
}

async function media(
  parts: ClipParts,
  request: FastifyRequest<{ Params: { signed: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { name, kind } = parts.urls.read(request.params.signed);
  const clip = parts.index.get(name);
  const file = clip?.files[kind === 'thumb' ? 'video' : kind];
  if (!file) throw notFound(`the clip ${name}`);
  void reply.header('cache-control', 'private, max-age=300');
  if (kind === 'thumb') {
    const input = file.source.where === 'device' ? file.at : `${parts.self()}${parts.urls.url(name, 'video')}`;
    return reply.type('image/jpeg').send(await parts.thumbnails.get(`${name} ${file.version}`, input));
  }
  // A browser saves what is asked for as an export, under its own name.
  const { download } = request.query as { download?: string };
  if (download !== undefined) void reply.header('content-disposition', `attachment; filename="${fileName(file)}"`);
  return sendBytes(file, reply.type(TYPES[kind]), request);
}

async function sendBytes(file: PlacedFile, reply: FastifyReply, request: FastifyRequest): Promise<FastifyReply> {
  const range = readRange(request.headers.range, file.bytes);
  void reply.header('accept-ranges', 'bytes');
  if (range === 'none') return reply.status(416).header('content-range', `bytes */${file.bytes}`).send();
  const { start, end } = range ?? { start: 0, end: file.bytes - 1 };
  if (file.bytes === 0) return reply.send('');
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  const stream = await file.source.open(file, start, end, gone.signal).catch((error: unknown) => {
    throw storageFailed(error);
  });
  // The recorder or the uploader may remove it meanwhile.
  stream.on('error', () => reply.raw.destroy());
  reply.raw.on('close', () => stream.destroy());
  if (range) void reply.status(206).header('content-range', `bytes ${start}-${end}/${file.bytes}`);
  return reply.header('content-length', end - start + 1).send(stream);
}

function fileName({ at }: PlacedFile): string {
  return at.slice(at.lastIndexOf('/') + 1).replace(/[^\w.-]/g, '-');
}

function readFilter({ sensor, from, to }: ClipQuery['Querystring']): ClipFilter {
  const time = (name: string, text: string): number => {
    const ms = Date.parse(text);
    if (Number.isNaN(ms)) throw requestInvalid('a time in ISO 8601 expected', name);
    return ms;
  };
  return {
    ...(sensor === undefined || sensor === '' ? {} : { sensor }),
    ...(from === undefined ? {} : { fromMs: time('from', from) }),
    ...(to === undefined ? {} : { toMs: time('to', to) }),
  };
}

/** Clips that came since do not move what follows. */
function cursor({ startedAtMs, name }: IndexedClip): string {
  return `${startedAtMs}.${name}`;
}

function behind(clips: readonly IndexedClip[], before: string): number {
  const [, ms = '', name = ''] = /^(\d+)\.(.*)$/s.exec(before) ?? [];
  if (ms === '') throw requestInvalid('the value of "next" expected', 'before');
  const at = clips.findIndex(
    (clip) => clip.startedAtMs < Number(ms) || (clip.startedAtMs === Number(ms) && clip.name < name),
  );
  return at < 0 ? clips.length : at;
}
