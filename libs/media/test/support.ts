import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Logger } from '@vantage/observability';
import {
  VideoSource,
  resolveFfmpeg,
  type EncodedPacket,
  type Ffmpeg,
  type Picture,
  type SourceStateChange,
  type SourceStream,
  type VideoSourceHandlers,
  type VideoSourceOptions,
} from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** The folder of real media, or undefined with a line that says what is skipped. */
export function assets(): string | undefined {
  const folder = resolve(ROOT, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
  if (existsSync(join(folder, 'videos'))) return folder;
  process.stderr.write(`skipped: no media in ${folder} (set VANTAGE_ASSETS)\n`);
  return undefined;
}

export const silent: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Every ffmpeg this machine has: the one that is chosen, and the old one from npm. */
export async function everyFfmpeg(): Promise<Ffmpeg[]> {
  const found = [await resolveFfmpeg()];
  const npm = npmProgram('@ffmpeg-installer', 'ffmpeg');
  if (npm !== undefined && npm !== found[0]!.path) {
    found.push(await resolveFfmpeg({ environment: { ...process.env, FFMPEG_PATH: npm } }));
  }
  return found;
}

function npmProgram(scope: string, name: string): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const path = join(dirname(require.resolve(`${scope}/${process.platform}-${process.arch}/package.json`)), name);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Times in microseconds and order of presentation, by ffprobe; undefined without an ffprobe that runs. */
export function probedTimesUs(path: string, ffmpeg: Ffmpeg): number[] | undefined {
  const beside = join(dirname(ffmpeg.path), 'ffprobe');
  for (const program of [beside, 'ffprobe', npmProgram('@ffprobe-installer', 'ffprobe')]) {
    if (program === undefined) continue;
    try {
      const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path];
      const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      const times = text
        .trim()
        .split('\n')
        .map((line) => Math.round(parseFloat(line) * 1e6));
      return times.sort((a, b) => a - b);
    } catch {
      // Not there, or without its executable bit: the next one.
    }
  }
  return undefined;
}

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'vantage-media-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Recording {
  readonly pictures: Omit<Picture, 'buffer'>[];
  readonly packets: EncodedPacket[];
  readonly states: SourceStateChange[];
  readonly streams: SourceStream[];
  readonly headers: Uint8Array[];
}

/** Runs a source until `until` says so (default: it ended or failed), and stops it. */
export async function record(
  options: Partial<VideoSourceOptions> & { url: string; ffmpeg: Ffmpeg },
  handlers: VideoSourceHandlers = {},
  until: (recording: Recording) => boolean = ({ states }) => /ended|failed/.test(states.at(-1)?.state ?? ''),
): Promise<Recording> {
  const recording: Recording = { pictures: [], packets: [], states: [], streams: [], headers: [] };
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (done = resolve));
  const check = (): void => {
    if (until(recording)) done();
  };
  const source = new VideoSource(
    {
      picture: { networkWidth: 96, networkHeight: 96, keepAspect: true },
      encoded: true,
      pace: 'asFastAsPossible',
      loop: false,
      reconnect: false,
      logger: silent,
      ...options,
    },
    {
      ...handlers,
      onStream: (stream) => recording.streams.push(stream),
      onHeader: (bytes) => recording.headers.push(bytes),
      onPicture: ({ buffer, ...picture }) => {
        recording.pictures.push(picture);
        const held = handlers.onPicture?.({ buffer, ...picture });
        check();
        return held;
      },
      onPacket: (packet) => {
        recording.packets.push(packet);
        handlers.onPacket?.(packet);
        check();
      },
      onState: (change) => {
        recording.states.push(change);
        handlers.onState?.(change);
        check();
      },
    },
  );
  source.start();
  await finished;
  await source.stop();
  return recording;
}

export const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
