import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { resolveFfmpeg } from '@vantage/media';
import { asset } from '../assets.ts';

const TRAFFIC = 'videos/o4n-traffic.mp4';

/** Films made of the assets' for one measurement, removed after it. */
export async function withFilms<T>(use: (films: Films) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-bench-'));
  try {
    return await use(new Films(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

export class Films {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** 13 minutes of traffic: with a film that starts again and again, starting decoders would be measured, too. */
  async long(): Promise<string> {
    return this.#make('long.mp4', ['-stream_loop', '40', '-i', asset(TRAFFIC), '-c', 'copy', '-an']);
  }

  /** Traffic at the rate of a camera that is looked at now and then. */
  async slow(fps: number): Promise<string> {
    const encode = ['-r', String(fps), '-c:v', 'libx264', '-preset', 'veryfast', '-an'];
    return this.#make(`${fps}-fps.mp4`, ['-stream_loop', '5', '-i', asset(TRAFFIC), ...encode]);
  }

  async #make(name: string, args: readonly string[]): Promise<string> {
    const film = path.join(this.#folder, name);
    const { path: ffmpeg } = await resolveFfmpeg();
    const child = spawn(ffmpeg, ['-v', 'error', ...args, film], { stdio: ['ignore', 'ignore', 'inherit'] });
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`ffmpeg ended with status ${status}`);
    return film;
  }
}
