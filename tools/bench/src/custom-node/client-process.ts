/** A pipeline's client in a process of its own: `client-process.ts <ClientRun>`; prints `ClientFigures`. */
import { randomFillSync } from 'node:crypto';
import { once, EventEmitter } from 'node:events';
import { CustomNodeClient, NO_INSIGHTS, type ClientFrame } from '@vantage/custom-node';
import { median } from '../bench.ts';
import type { ClientFigures, ClientRun } from './run.ts';

/** grpc-js is fast only once it is compiled. */
const WARM_UP_MS = 1500;

const run = JSON.parse(process.argv[2] ?? '{}') as ClientRun;
const events = new EventEmitter();
const client = new CustomNodeClient({
  endpoint: run.endpoint,
  ids: { instance: '', skill: '', device: 'bench' },
  inFlight: run.inFlight,
  maxMessageBytes: 64 * 1024 * 1024,
  sharedMemory: run.sharedMemory,
  onStatus: ({ state, error }) => {
    if (state === 'ready') events.emit('ready');
    else if (error) process.stderr.write(`${error.message}\n`);
  },
});
const ready = once(events, 'ready');
client.start();
await ready;

const pixels = Buffer.alloc(run.width * run.height * 3);
randomFillSync(pixels);
let frames = 0;
let times: number[] = [];
let copies: number[] = [];
const copy = Buffer.alloc(pixels.length, 1);
let running = true;

async function send(): Promise<void> {
  while (running) {
    frames += 1;
    let taken: number | undefined;
    const frame: ClientFrame = {
      frameId: String(frames),
      timestamp: { seconds: 0n, nanos: 0 },
      datetime: '2000-01-01T00:00:00',
      width: run.width,
      height: run.height,
      colorFormat: 'BGR',
      insights: NO_INSIGHTS,
      pixels,
      // A pipeline turns it into planes of its own in this place.
      takeImage: (image) => void (taken = image.pixels[0]),
    };
    const begun = performance.now();
    const result = await client.process(frame);
    if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
    if (taken === undefined && result.insights?.objects.length !== 1) throw new Error('no answer');
    const ended = performance.now();
    times.push(ended - begun);
    if (!run.measureCopies) continue;
    // Between two frames, so that the memory is as warm or cold as it is for them.
    pixels.copy(copy);
    copies.push(performance.now() - ended);
  }
}

const loops = Promise.all(Array.from({ length: run.inFlight }, send));
await Promise.race([loops, new Promise((resolve) => setTimeout(resolve, WARM_UP_MS))]);
[frames, times, copies] = [0, [], []];
const [begun, cpu] = [performance.now(), process.cpuUsage()];
await Promise.race([loops, new Promise((resolve) => setTimeout(resolve, run.forMs))]);
running = false;
await loops;
const { user, system } = process.cpuUsage(cpu);
const { sharedMemory, counters } = client.status;
const figures: ClientFigures = {
  frames,
  seconds: (performance.now() - begun) / 1000,
  cpuMs: (user + system) / 1000,
  roundTripMs: median(times),
  memcpyMs: median(copies),
  sharedFrames: sharedMemory ? counters.sharedMemoryFrames : 0,
};
process.stdout.write(JSON.stringify(figures));
await client.stop();
