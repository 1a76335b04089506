import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '@vantage/contracts';
import { encoderMissing } from './errors.ts';
import type { Ffmpeg } from './ffmpeg.ts';

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 15_000;

/** How an ffmpeg makes video that browsers and players show. Plain data: it can be posted to workers. */
export interface VideoEncoder {
  /** As ffmpeg calls it: `libx264`. */
  readonly name: string;
  /** Options of ffmpeg that choose and tune it. */
  readonly arguments: readonly string[];
}

/**
 * Best first. Only encoders that need no device: one that is compiled in but finds no GPU fails when a clip begins.
 * MPEG-4 part 2 is in every ffmpeg; browsers do not play it, players do.
 */
const ENCODERS: readonly VideoEncoder[] = [
  { name: 'libx264', arguments: ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-threads', '1'] },
  { name: 'libopenh264', arguments: ['-c:v', 'libopenh264', '-b:v', '4M'] },
  { name: 'mpeg4', arguments: ['-c:v', 'mpeg4', '-q:v', '4', '-threads', '1'] },
];

const found = new Map<string, Promise<VideoEncoder>>();

/**
 * The best encoder that an ffmpeg has. Asked once for each program.
 *
 * @throws MEDIA_ENCODER_MISSING
 */
export function findVideoEncoder({ path, version }: Ffmpeg): Promise<VideoEncoder> {
  const key = `${path} ${version}`;
  let encoder = found.get(key);
  if (!encoder) {
    encoder = probe(path);
    found.set(key, encoder);
    // It may have been too busy to answer: asked again the next time.
    encoder.catch(() => found.delete(key));
  }
  return encoder;
}

async function probe(path: string): Promise<VideoEncoder> {
  let list: string;
  try {
    const options = { timeout: PROBE_TIMEOUT_MS, maxBuffer: 1 << 20 };
    list = (await run(path, ['-hide_banner', '-encoders'], options)).stdout;
  } catch (error) {
    throw encoderMissing(`${path} does not tell its encoders: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
  const names = new Set([...list.matchAll(/^\s*V[\w.]{5}\s+(\S+)/gm)].map(([, name]) => name));
  const best = ENCODERS.find(({ name }) => names.has(name));
  if (best) return best;
  throw encoderMissing(`${path} has none of the encoders ${ENCODERS.map(({ name }) => name).join(', ')}`);
}
