import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ClipWriter, PacketRing, VideoSource, resolveFfmpeg, type Clip, type Ffmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { median, type Bench } from './bench.ts';
import { cpuMs } from './cpu-time.ts';
import { withFilms } from './pipeline/films.ts';

const ROUNDS = 5;
const CLIP_US = 30_000_000;

/** R1: CPU time of recording what a source hands over, against ffmpeg that copies the same film. */
export const recordingCost: Bench = {
  id: 'R1',
  title: 'recording without encoding, beyond the source, against ffmpeg -c copy',
  unit: 'CPU ms/film',
  goal: 1.2,
  better: 'lower',
  async run(note) {
    if (process.platform !== 'linux') return { skipped: 'R1 reads CPU times from /proc and runs on Linux only' };
    const ffmpeg = await resolveFfmpeg();
    return withFilms(async (films) => {
      const film = await films.long();
      const folder = path.dirname(film);
      const [source, both, reference]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round <= ROUNDS; round += 1) {
        const alone = await cpuMs(() => play(ffmpeg, film, undefined));
        const recorded = await cpuMs(() => play(ffmpeg, film, folder));
        const copied = await cpuMs(() => copy(ffmpeg, film, path.join(folder, 'copy.mp4')));
        // What both had to do; the ring keeps what the clip is opened with.
        if (recorded.result !== alone.result)
          throw new Error(`${recorded.result} of ${alone.result} frames are in clips`);
        if (round === 0) continue;
        source.push(alone.cpuMs);
        both.push(recorded.cpuMs);
        reference.push(copied.cpuMs);
        const extra = recorded.cpuMs - alone.cpuMs;
        note(`round ${round}: recording ${extra.toFixed(0)} ms, ffmpeg -c copy ${copied.cpuMs.toFixed(0)} ms`);
      }
      const [whole, rest, theirs] = [median(both), median(source), median(reference)];
      return {
        ours: whole - rest,
        reference: theirs,
        extra: { 'with its source': Math.round((whole / theirs) * 100) / 100 },
      };
    });
  },
};

/** Reads the film's packets, and makes clips of them where a folder is given. @returns frames read, or recorded */
async function play(ffmpeg: Ffmpeg, film: string, folder: string | undefined): Promise<number> {
  const ring = new PacketRing({ seconds: 0 });
  const closing: Promise<Clip>[] = [];
  let clip: ClipWriter | undefined;
  let frames = 0;
  await new Promise<void>((resolve) => {
    new VideoSource(
      {
        ...{ url: pathToFileURL(film).href, ffmpeg, picture: undefined, encoded: true, pace: 'asFastAsPossible' },
        ...{ loop: false, reconnect: false, logger: silentLogger },
      },
      {
        onHeader: (bytes) => void ring.setHeader(bytes),
        onPacket: (packet) => {
          frames += 1;
          ring.push(packet);
          if (folder === undefined) return;
          if (clip && !(packet.key && packet.ptsUs - clip.firstPtsUs >= CLIP_US)) return clip.push(packet);
          if (clip) closing.push(clip.close());
          clip = ClipWriter.open({ ring, ffmpeg, path: path.join(folder, `${frames}.mp4`), fromPtsUs: packet.ptsUs });
        },
        onState: ({ state }) => {
          if (state === 'ended' || state === 'failed') resolve();
        },
      },
    ).start();
  });
  if (!clip) return frames;
  const clips = await Promise.all([...closing, clip.close()]);
  return clips.reduce((sum, one) => sum + one.frames, 0);
}

async function copy(ffmpeg: Ffmpeg, film: string, to: string): Promise<void> {
  const args = ['-v', 'error', '-y', '-i', film, '-map', '0:V:0', '-c', 'copy', to];
  const child = spawn(ffmpeg.path, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`ffmpeg ended with status ${status}`);
}
