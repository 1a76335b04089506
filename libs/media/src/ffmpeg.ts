import { execFile } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ffmpegMissing } from './errors.ts';

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 15_000;
/** libavformat of FFmpeg 4.4: builds from git carry no release number, but always this one. */
const OLDEST_GOOD_LIBAVFORMAT = [58, 76] as const;

export type FfmpegOrigin = 'FFMPEG_PATH' | 'ffmpeg-static' | '@ffmpeg-installer/ffmpeg' | 'PATH';

/** An ffmpeg that runs. Plain data: it can be posted to workers. */
export interface Ffmpeg {
  readonly path: string;
  /** As the program states it: `5.1.9-0+deb12u1`, `N-47683-g0e8eb07980-static`. */
  readonly version: string;
  readonly origin: FfmpegOrigin;
  /** The option that bounds waiting on an RTSP socket, in microseconds; the other one means "listen" or is unknown. */
  readonly rtspTimeoutOption: 'timeout' | 'stimeout';
  /** Major and minor version of libavformat: what the choice of options goes by. */
  readonly libavformat: readonly [number, number];
  /** Older than 4.4: works, but gets no security fixes. Warn about it. */
  readonly tooOld?: boolean;
}

export interface ResolveFfmpegOptions {
  /** Environment to read `FFMPEG_PATH` and `PATH` from; default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds ffmpeg: `FFMPEG_PATH`, then ffmpeg-static, then the binary npm ships, then the system's. The first that is at
 * least version 4.4 wins; if none is, the newest that runs. `FFMPEG_PATH` always wins when set.
 *
 * @throws MEDIA_FFMPEG_MISSING with ways to install one
 */
export async function resolveFfmpeg(options: ResolveFfmpegOptions = {}): Promise<Ffmpeg> {
  const environment = options.environment ?? process.env;
  const forced = environment['FFMPEG_PATH'];
  if (forced !== undefined && forced !== '') {
    const found = await probe(forced, 'FFMPEG_PATH');
    if (typeof found === 'string') throw ffmpegMissing(`FFMPEG_PATH names ${forced}, which does not run: ${found}`);
    return found;
  }
  let best: Ffmpeg | undefined;
  const tried: string[] = [];
  for (const [origin, path] of candidates(environment)) {
    const found = await probe(path, origin);
    if (typeof found === 'string') tried.push(`${path}: ${found}`);
    else if (found.tooOld !== true) return found;
    else if (best === undefined || isOlder(best.libavformat, found.libavformat)) best = found;
  }
  if (best !== undefined) return best;
  throw ffmpegMissing(
    'no ffmpeg was found. Install one with "apt-get install ffmpeg" (or "brew install ffmpeg"), ' +
      'or with "npm install @ffmpeg-installer/ffmpeg", or set FFMPEG_PATH to the program.',
    { tried },
  );
}

function isOlder(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function* candidates(environment: Readonly<Record<string, string | undefined>>): Generator<[FfmpegOrigin, string]> {
  const require = createRequire(import.meta.url);
  const packaged = (name: string, read: (name: string) => unknown): string | undefined => {
    try {
      const path = read(name);
      return typeof path === 'string' && existsSync(path) ? path : undefined;
    } catch {
      // Not installed: the next candidate's turn.
      return undefined;
    }
  };
  const program = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';
  const fromStatic = packaged('ffmpeg-static', (name) => require(name) as unknown);
  if (fromStatic !== undefined) yield ['ffmpeg-static', fromStatic];
  // The platform package itself: the installer's entry point throws where it has none.
  const fromNpm = packaged(`@ffmpeg-installer/${process.platform}-${process.arch}/package.json`, (name) =>
    join(dirname(require.resolve(name)), program),
  );
  if (fromNpm !== undefined) yield ['@ffmpeg-installer/ffmpeg', fromNpm];
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && existsSync(path)) {
      yield ['PATH', path];
      return;
    }
  }
}

/** The install scripts that would set the bit are switched off in this repository. */
function ensureExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}

async function probe(path: string, origin: FfmpegOrigin): Promise<Ffmpeg | string> {
  try {
    if (origin === '@ffmpeg-installer/ffmpeg') ensureExecutable(path);
    const options = { timeout: PROBE_TIMEOUT_MS, maxBuffer: 1 << 20 };
    const { stdout } = await run(path, ['-version'], options);
    const version = /^ffmpeg version (\S+)/m.exec(stdout)?.[1];
    const library = /libavformat\s+(\d+)\.\s*(\d+)/.exec(stdout);
    if (version === undefined || library === null) return 'it does not answer like ffmpeg';
    const libavformat = [Number(library[1]), Number(library[2])] as const;
    const help = await run(path, ['-hide_banner', '-h', 'demuxer=rtsp'], options);
    const rtspTimeoutOption = /^\s*-stimeout\s/m.test(help.stdout) ? 'stimeout' : 'timeout';
    const base = { path, version, origin, rtspTimeoutOption, libavformat } as const;
    return isOlder(libavformat, OLDEST_GOOD_LIBAVFORMAT) ? { ...base, tooOld: true } : base;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'unknown error') : 'unknown error';
  }
}
