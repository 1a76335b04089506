import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FragmentMuxer, resolveFfmpeg, type EncodedPacket, type Ffmpeg } from '../src/index.ts';
import { assets, probedTimesUs, record, temporaryFolder } from './support.ts';

const media = assets();
const folder = temporaryFolder();
let ffmpeg: Ffmpeg;

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
});
afterAll(() => folder.remove());

const run = (...args: readonly string[]): void => void execFileSync(ffmpeg.path, ['-v', 'error', '-y', ...args]);

/** The frames of a file, as its source gives them. */
async function packetsOf(url: string): Promise<{ header: Uint8Array; packets: EncodedPacket[] }> {
  const { headers, packets } = await record({ url, ffmpeg, picture: undefined, maxFrames: 60 });
  return { header: headers[0]!, packets };
}

/** Packets through the muxer, `each` in a fragment; with what is known of the frame behind, or not. */
function muxed(header: Uint8Array, packets: readonly EncodedPacket[], each: number, known: boolean): FragmentMuxer {
  const muxer = FragmentMuxer.create(header, packets[0], packets[0]!.ptsUs)!;
  const parts = [muxer.initSegment()];
  for (let at = 0; at < packets.length; at += each) {
    parts.push(muxer.fragment(packets.slice(at, at + each), known ? packets[at + each]?.ptsUs : undefined));
  }
  writeFileSync(join(folder.path, 'out.mp4'), Buffer.concat(parts));
  return muxer;
}

/** Checksums of the pictures, in the order they are shown. */
function pictures(path: string): string[] {
  const args = ['-v', 'error', '-i', path, '-map', '0:v', '-vsync', 'passthrough', '-f', 'framemd5'];
  const text = execFileSync(ffmpeg.path, [...args, '-'], { encoding: 'utf8' });
  return text.match(/[0-9a-f]{32}/g) ?? [];
}

describe('fragmented MP4', () => {
  test.each(['car-detection', 'o4n-people', 'bottle-detection', 'o4n-traffic'])(
    'of %s has every frame at its time, one or many in a fragment',
    async (name) => {
      if (!media) return;
      const { header, packets } = await packetsOf(join(media, `videos/${name}.mp4`));
      const wanted = packets.map(({ ptsUs }) => ptsUs - packets[0]!.ptsUs).sort((a, b) => a - b);
      for (const [each, known] of [
        [1, false],
        [25, true],
      ] as const) {
        const { codec, mimeType } = muxed(header, packets, each, known);
        expect(mimeType).toBe(`video/mp4; codecs="${codec}"`);
        expect(probedTimesUs(join(folder.path, 'out.mp4'), ffmpeg)).toEqual(wanted);
      }
    },
  );

  test('is the same stream whether its NAL units come behind start codes or lengths, in H.264 and H.265', async () => {
    if (!media) return;
    const source = join(media, 'videos/o4n-people.mp4');
    const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'bframes=3:keyint=20:log-level=none'];
    const cases: [string, string[], RegExp, { width: number; height: number }][] = [
      ['h264', ['-c', 'copy'], /^avc1\.64001e$/, { width: 800, height: 450 }],
      ['h265', ['-vf', 'scale=320:180', ...x265], /^hvc1\.1\.6\.L60\.90$/, { width: 320, height: 180 }],
    ];
    for (const [name, codec, mime, size] of cases) {
      const [mp4, ts] = [`${name}.mp4`, `${name}.ts`].map((file) => join(folder.path, file)) as [string, string];
      run('-i', source, '-t', '1.5', '-an', ...codec, mp4);
      run('-i', mp4, '-c', 'copy', ts);
      const shown = pictures(mp4);
      for (const url of [mp4, ts]) {
        const { header, packets } = await packetsOf(url);
        const muxer = muxed(header, packets, 10, true);
        expect(muxer.codec).toMatch(mime);
        expect(muxer).toMatchObject(size);
        const wanted = packets.map(({ ptsUs }) => ptsUs - packets[0]!.ptsUs).sort((a, b) => a - b);
        expect(probedTimesUs(join(folder.path, 'out.mp4'), ffmpeg)).toEqual(wanted);
        expect(pictures(join(folder.path, 'out.mp4'))).toEqual(shown);
      }
    }
  });

  test('needs another muxer when the camera changes its picture', async () => {
    const files = ['160x90', '320x180'].map((size) => {
      const file = join(folder.path, `${size}.ts`);
      run('-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=1`, '-c:v', 'libx264', '-bf', '0', file);
      return file;
    });
    const [small, large] = await Promise.all(files.map(packetsOf));
    const muxer = FragmentMuxer.create(small!.header, small!.packets[0])!;
    expect(small!.packets.every((packet) => muxer.fits(packet))).toBe(true);
    expect(muxer.fits(large!.packets[0]!)).toBe(false);
    // What the key frame says counts, not what the stream said of itself when it began.
    expect(FragmentMuxer.create(small!.header, large!.packets[0])).toMatchObject({ width: 320, height: 180 });
  });

  test('leaves out what is shown before the first key frame', async () => {
    const file = join(folder.path, 'one.mp4');
    run('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=1', '-c:v', 'libx264', '-bf', '0', file);
    const { header, packets } = await packetsOf(file);
    const muxer = FragmentMuxer.create(header, packets[0])!;
    expect(muxer.fragment([packets[5]!]).length).toBeGreaterThan(0);
    expect(muxer.fragment([packets[4]!]).length).toBe(0);
  });

  test('is not made of codecs that it does not know', async () => {
    const file = join(folder.path, 'mpeg4.mkv');
    run('-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=1', '-c:v', 'mpeg4', file);
    const { header, packets } = await packetsOf(file);
    expect(FragmentMuxer.create(header, packets[0])).toBeUndefined();
  });
});
