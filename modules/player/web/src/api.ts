import { signal } from '@preact/signals';
import type {
  ApiCamera,
  ApiClips,
  ApiError,
  ApiHealth,
  ApiLogin,
  ApiModelReport,
  ApiRegion,
  ApiSession,
  ApiTimeline,
  ApiTwin,
  ApiTwinChange,
  ApiTwinChanged,
  ApiTwinPast,
  ApiTwinPlan,
} from '../../src/api.ts';

/** Who is looking, as the server said; undefined before it has, null when somebody has to log in first. */
export const session = signal<ApiSession | null | undefined>(undefined);
/** Why the server cannot be asked, while it cannot. */
export const offline = signal<string | undefined>(undefined);

/** Beyond this a call is given up: a server that hangs must not leave a page that waits for ever. */
const TIMEOUT_MS = 30_000;

/** What the server answered instead of what was asked for. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  readonly path: string | undefined;
  readonly issues: NonNullable<ApiError['issues']>;

  constructor(status: number, error: Partial<ApiError>) {
    super(error.message ?? `the server answered ${status}`);
    this.status = status;
    this.code = error.code ?? 'UNKNOWN';
    this.path = error.path;
    this.issues = error.issues ?? [];
  }
}

/** A sentence for people. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const sentence = text === '' ? 'something went wrong' : text;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${/[.!?]$/.test(sentence) ? '' : '.'}`;
}

async function call<T>(method: string, path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<T> {
  const headers: Record<string, string> = {};
  if (method !== 'GET' && session.value) headers['x-vantage-csrf'] = session.value.csrf;
  if (body !== undefined && !(body instanceof FormData)) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    offline.value = undefined;
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    offline.value = late ? 'The Player does not answer.' : 'The Player cannot be reached.';
    throw new ApiFailure(0, { code: 'UNREACHABLE', message: offline.value });
  }
  const text = await response.text();
  const answer = parse(text);
  if (response.status === 401) session.value = null;
  if (!response.ok) throw new ApiFailure(response.status, answer ?? {});
  return answer as T;
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const part = encodeURIComponent;

function search(query: Readonly<Record<string, string | number | readonly string[] | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [key, String(one)]),
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** Questions about clips; times are ISO 8601. */
export interface ClipQuery {
  readonly sensor?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly limit?: number | undefined;
  readonly before?: string | undefined;
  /** These only, as far as they are still there. */
  readonly name?: readonly string[] | undefined;
}

/** What the chain did around a moment (live: direct method `why` of the ai-pipeline). */
export interface WhyAnswer {
  readonly at: string | number;
  readonly summary?: readonly string[];
  readonly frames?: readonly WhyFrame[];
  /** What happened at moments, such as a recording that was switched on. */
  readonly notes?: readonly { readonly timeMs: number; readonly text: string }[];
  /** Of each clip: what the VideoUploader says of it. */
  readonly uploaded?: Readonly<Record<string, { readonly state?: string; readonly blob?: string }>>;
}

/** A stretch of half a second or so. */
export interface WhyFrame {
  readonly timeMs: number;
  /** Pictures that came in this stretch, and how many of them the model looked at. */
  readonly decoded?: number;
  readonly sampled?: number;
  /** Left out, by reason. */
  readonly dropped?: Readonly<Record<string, number>>;
  readonly best?: readonly { readonly label: string; readonly score: number; readonly threshold?: number | null }[];
  readonly kept?: number;
  readonly tracks?: number | readonly unknown[];
  readonly regions?: readonly { readonly label: string; readonly inside: readonly unknown[] | number | boolean }[];
  readonly rules?: readonly unknown[];
  readonly events?: readonly unknown[];
  readonly recording?: boolean | string;
  readonly clip?: string;
}

export const api = {
  session: async (): Promise<void> => {
    session.value = await call<ApiSession>('GET', '/api/session');
  },
  ways: () => call<ApiLogin>('GET', '/api/login'),
  login: (token: string) => call('POST', '/api/login', { token }),
  logout: () => call('POST', '/api/logout', {}),
  cameras: () => call<ApiCamera[]>('GET', '/api/cameras'),
  clips: (query: ClipQuery) => call<ApiClips>('GET', `/api/clips${search({ ...query })}`),
  timeline: (query: ClipQuery) => call<ApiTimeline>('GET', `/api/clips/timeline${search({ ...query })}`),
  twin: (module: string) => call<ApiTwin>('GET', `/api/twin/${part(module)}`),
  plan: (module: string, change: ApiTwinChange) => call<ApiTwinPlan>('POST', `/api/twin/${part(module)}/plan`, change),
  change: (module: string, change: ApiTwinChange) => call<ApiTwinChanged>('POST', `/api/twin/${part(module)}`, change),
  past: (module: string) => call<ApiTwinPast[]>('GET', `/api/twin/${part(module)}/history`),
  rollback: (module: string, steps: number, etag: string) =>
    call<ApiTwinChanged>('POST', `/api/twin/${part(module)}/rollback`, { steps, etag }),
  saveRegions: (sensor: string, regions: readonly ApiRegion[], etag: string) =>
    call<ApiTwinChanged>('PUT', `/api/regions/${part(sensor)}`, { regions, etag }),
  checkModel: (zip: File) => {
    const form = new FormData();
    form.append('file', zip, zip.name);
    // Loading and timing a model takes as long as the model is large.
    return call<ApiModelReport>('POST', '/api/models', form, 180_000);
  },
  useModel: (id: string, pipeline: string) =>
    call<ApiTwinChanged>('POST', `/api/models/${part(id)}/use`, { pipeline }, 120_000),
  health: () => call<ApiHealth>('GET', '/api/health'),
  why: (pipeline: string, sensor: string, at: number, seconds?: number) =>
    call<WhyAnswer>('GET', `/api/why${search({ pipeline, sensor, at, seconds })}`),
};

/** Address of a camera's picture: `jpg` is one, `mjpeg` a stream of them. */
export function pictureUrl(camera: { pipeline: string; sensor: string }, kind: 'jpg' | 'mjpeg'): string {
  return `/api/live/${part(camera.pipeline)}/${part(camera.sensor)}.${kind}`;
}

/** Address of the pictures of all cameras of a pipeline, side by side. */
export function mosaicUrl(pipeline: string): string {
  return `/api/live/${part(pipeline)}.mjpeg`;
}

export function liveUrl(camera: { pipeline: string; sensor: string }): string {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/api/live/${part(camera.pipeline)}/${part(camera.sensor)}`;
}
