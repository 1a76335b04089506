import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { thumbnailOf, type Thumbnail } from '@vantage/vision';

/** What happens to cameras, as filters of ffmpeg. */
export const BAD_VIEWS = {
  plain: 'null',
  black: 'drawbox=t=fill:c=black',
  dim: 'eq=brightness=-0.15:contrast=0.7',
  bright: 'eq=brightness=0.12:contrast=1.2',
  noisy: 'noise=alls=20:allf=t',
  shaken: 'crop=iw*0.99:ih*0.99:iw*0.01:ih*0.01',
  blurred: 'gblur=sigma=6',
  covered: 'drawbox=t=fill:c=0x6a5a50,noise=alls=6:allf=t',
  hand: 'drawbox=x=0:y=0:w=iw:h=ih*0.9:t=fill:c=0x504038,gblur=sigma=4',
  moved: 'crop=iw*0.8:ih*0.8:iw*0.2:ih*0.2',
  zoomed: 'crop=iw*0.6:ih*0.6',
} as const;

export type BadView = keyof typeof BAD_VIEWS;

export const LOOKS_PER_SECOND = 2;
const WIDTH = 384;
const HEIGHT = 216;

/** A video as a camera would show it were it plain, covered, ...: one decode, two looks a second. */
export async function badViews(
  ffmpeg: string,
  file: string,
  names: readonly BadView[],
  seconds = 20,
): Promise<Readonly<Record<BadView, readonly Thumbnail[]>>> {
  const graph = [
    `[0:v]fps=${LOOKS_PER_SECOND},scale=${WIDTH}:${HEIGHT},split=${names.length}${names.map((name) => `[${name}0]`).join('')}`,
    ...names.map(
      (name) => `[${name}0]${BAD_VIEWS[name]},scale=${WIDTH}:${HEIGHT},format=gbrp,extractplanes=g[${name}]`,
    ),
    `${names.map((name) => `[${name}]`).join('')}vstack=${names.length}:shortest=1[all]`,
  ];
  const single = names.length === 1 ? [graph[0], graph[1]?.replace(/\[\w+\]$/, '[all]')] : graph;
  const child = spawn(
    ffmpeg,
    [
      '-v',
      'error',
      '-t',
      String(seconds),
      '-i',
      file,
      '-filter_complex',
      single.join(';'),
      '-map',
      '[all]',
      '-f',
      'rawvideo',
      '-',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => void chunks.push(chunk));
  await once(child, 'close');
  const bytes = Buffer.concat(chunks);
  const views: Record<string, Thumbnail[]> = Object.fromEntries(names.map((name) => [name, []]));
  const picture = WIDTH * HEIGHT;
  for (let at = 0; at + picture <= bytes.length; at += picture) {
    const name = names[(at / picture) % names.length] as BadView;
    views[name]?.push(thumbnailOf(bytes.subarray(at, at + picture), WIDTH, HEIGHT));
  }
  return views as Record<BadView, Thumbnail[]>;
}

/** Four seconds of the file, then its last picture over and over for 40 s, through a codec as a camera's: its key frames repaint. */
export async function frozenVideo(ffmpeg: string, file: string, to: string): Promise<void> {
  const filter = 'tpad=stop_mode=clone:stop_duration=40,scale=480:270,format=yuv420p';
  const coder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '8', '-r', '2', '-t', '40'];
  const child = spawn(ffmpeg, ['-v', 'error', '-t', '4', '-y', '-i', file, '-vf', `fps=2,${filter}`, ...coder, to], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'close');
}
