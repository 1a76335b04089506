import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Engine, Live } from '@vantage/ai-pipeline';
import { WorkerPool } from '@vantage/inference';
import {
  readCodecConfiguration,
  readEncodedFile,
  resolveFfmpeg,
  splitFrame,
  type EncodedFile,
  type Ffmpeg,
} from '@vantage/media';
import { Health, HttpRoutes, Metrics, silentLogger, startHealthServer } from '@vantage/observability';
import { RtspServer, type RtspSource } from '@vantage/rtsp';
import { chromium } from 'playwright-core';
import { median, type Bench, type Measured, type Skipped } from './bench.ts';
import { LIVE_PAGE } from './live-page.ts';

const SECONDS = 40;
const FPS = 25;
/** Frames until page, decoder and buffers have settled. */
const WARM_UP_FRAMES = 5 * FPS;
const BARS = 12;
const GOAL_MS = 1000;
const BROWSER = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

/**
 * L1: how old a frame is when a browser shows it: from the moment at which an RTSP camera hands it to the network to the
 * moment at which the page presents it, read from the frame's number in the picture itself. A 720p camera of 25 frames/s,
 * the whole ai-pipeline's live path, a WebSocket and Media Source in headless Chromium, on one machine.
 */
export const liveLatency: Bench = {
  id: 'L1',
  title: 'camera to page: age of a frame when the browser shows it, p95, against a second',
  unit: 'ms',
  goal: 1,
  better: 'lower',
  run: async (note): Promise<Measured | Skipped> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'vantage-latency-'));
    try {
      const ffmpeg = await resolveFfmpeg();
      const ages = await measure(await clock(ffmpeg, folder), ffmpeg, folder, note);
      if (typeof ages === 'string') return { skipped: ages };
      const sorted = ages.toSorted((a, b) => a - b);
      const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN);
      const extra = { p50: Math.round(median(ages)), p95: at(0.95), max: at(0.9999), frames: ages.length };
      return { ours: extra.p95, reference: GOAL_MS, extra };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** A film whose frames tell their number: bars along the top, black or white, the lowest bit first. */
async function clock(ffmpeg: Ffmpeg, folder: string): Promise<EncodedFile> {
  const file = path.join(folder, 'clock.mp4');
  const bits = `geq=lum='255*mod(floor(N/pow(2,X)),2)':cb=128:cr=128,scale=1280:80:flags=neighbor,setsar=1`;
  const filter = `color=black:size=${BARS}x2:rate=${FPS},format=yuv444p,${bits},format=yuv420p[b];testsrc2=size=1280x640:rate=${FPS},setsar=1,format=yuv420p[p];[b][p]vstack`;
  const encode = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-g',
    `${FPS}`,
    '-t',
    `${SECONDS}`,
  ];
  await promisify(execFile)(ffmpeg.path, ['-v', 'error', '-filter_complex', filter, ...encode, '-y', file]);
  return readEncodedFile(file, ffmpeg, 512 << 20);
}

/** @returns ages in milliseconds, or why there are none */
async function measure(
  film: EncodedFile,
  ffmpeg: Ffmpeg,
  folder: string,
  note: (text: string) => void,
): Promise<readonly number[] | string> {
  const sentMs: number[] = [];
  const camera = new RtspServer({ find: () => filmAt(film, sentMs), logger: silentLogger, host: '127.0.0.1', port: 0 });
  const engine = new Engine({
    ...{ ffmpeg, backend: new WorkerPool(), logger: silentLogger },
    resolveModel: () => Promise.reject(new Error('no model is looked for')),
    recording: { folder, preRollSeconds: 2, clipSeconds: 30, autoStopSeconds: 0 },
  });
  const routes = new HttpRoutes();
  const live = new Live({ engine, ffmpeg, logger: silentLogger, routes, rtsp: undefined });
  const page = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(LIVE_PAGE));
  const browser = await chromium
    .launch({ executablePath: BROWSER, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] })
    .catch(() => undefined);
  if (!browser) return `no Chromium at ${BROWSER} (set CHROMIUM_PATH)`;
  await live.start();
  await camera.start();
  const server = await startHealthServer({ port: 0, metrics: new Metrics(), health: new Health(), routes });
  try {
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const url = `rtsp://127.0.0.1:${camera.port}/clock`;
    const source = { kind: 'source', id: 'source/clock', sensor: 'clock', url, regions: [], pace: 'realtime' } as const;
    const recorder = { kind: 'recorder', id: 'recorder', prefix: 'L' } as const;
    await engine.apply([{ id: 'Latency', nodes: [{ ...source, loop: false }, recorder], edges: [] }]);
    const tab = await browser.newPage();
    const socket = `ws://127.0.0.1:${server.port}/live/Latency/clock`;
    await tab.goto(`http://127.0.0.1:${(page.address() as AddressInfo).port}/?${encodeURIComponent(socket)}`);
    const frames = film.frames.length - WARM_UP_FRAMES;
    note(`a film of ${film.frames.length} frames plays`);
    await tab.waitForFunction(`window.newest >= ${frames}`, undefined, { timeout: 3 * SECONDS * 1000 });
    const shown = await tab.evaluate<[number: number, shownMs: number][]>('window.shown');
    return shown.flatMap(([number, shownMs]) => {
      const sent = sentMs[number];
      return sent === undefined || number < WARM_UP_FRAMES ? [] : [shownMs - sent];
    });
  } finally {
    await browser.close();
    page.close();
    await live.stop();
    await engine.stop();
    await server.close();
    await camera.stop();
  }
}

/** The film as a camera: once, each frame when it is due. Remembers when each was handed to the network. */
function filmAt(film: EncodedFile, sentMs: number[]): RtspSource {
  const { lengthSize, parameterSets } = readCodecConfiguration('h264', film.codecData);
  return {
    description: { name: 'clock', codec: 'h264', fps: FPS, parameterSets },
    open: (receiver) => {
      let timer: NodeJS.Timeout | undefined;
      let next = 0;
      return {
        nextPtsUs: 0,
        start: () => {
          const startMs = performance.now();
          timer = setInterval(() => {
            for (let frame = film.frames[next]; frame; frame = film.frames[next]) {
              if (performance.now() - startMs < (next * 1000) / FPS) return;
              const nals = splitFrame(frame.data, lengthSize);
              sentMs[next] = performance.timeOrigin + performance.now();
              receiver.send({
                ptsUs: frame.ptsUs,
                key: frame.key,
                nals: frame.key ? [...parameterSets, ...nals] : nals,
              });
              next += 1;
            }
          }, 2);
        },
        pause: () => clearInterval(timer),
      };
    },
  };
}
