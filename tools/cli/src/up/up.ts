import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import logUpdate from 'log-update';
import { demo } from '@vantage/demo';
import { EdgeRuntime } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger } from '@vantage/observability';
import { writeConnection } from '../connection.ts';
import { makeDeployment, type ModulesContent } from './deployment.ts';
import type { UpEvent } from './events.ts';
import { moduleCommands } from './module-commands.ts';
import { watchRuntime } from './watch-runtime.ts';
import { Summary } from './summary.ts';

export interface UpOptions {
  readonly source?: string;
  readonly model?: string;
  readonly deployment?: string;
  readonly state: string;
  readonly mqttPort: number;
  readonly apiPort: number;
  readonly seconds?: number;
  readonly json: boolean;
  readonly fresh: boolean;
}

const REDRAW_MS = 500;

/** Runs the edge runtime in this process and the modules as its children, until Ctrl-C or `--seconds`. */
export async function runUp(options: UpOptions): Promise<void> {
  const stateDir = path.resolve(options.state);
  const ffmpeg = await resolveFfmpeg();
  const content = await makeDeployment(options);
  await mkdir(stateDir, { recursive: true });

  const summary = new Summary();
  const show = display(options.json, summary);
  const rtspPort = await freePort();
  const runtime = new EdgeRuntime({
    stateDir,
    mqttPort: options.mqttPort,
    apiPort: options.apiPort,
    resolveImage: moduleCommands({ rtspPort, mediaFolder: path.dirname(demo.video), ffmpeg }),
    hosts: { rtspsim: `127.0.0.1:${rtspPort}` },
    logger: createLogger({ module: 'edge', level: 'warning', destination: process.stderr }),
  });
  watchRuntime(runtime, (event) => {
    summary.add(event);
    show.event(event);
  });

  const started = performance.now();
  await runtime.start();
  try {
    await writeConnection(stateDir, {
      pid: process.pid,
      deviceId: runtime.deviceId,
      apiPort: runtime.ports.api,
      serviceConnectionString: runtime.serviceConnectionString,
      caFile: runtime.caFile,
    });
    show.event({
      event: 'started',
      deviceId: runtime.deviceId,
      ffmpeg: `${ffmpeg.version} (${ffmpeg.origin})`,
      mqttPort: runtime.ports.mqtt,
      apiPort: runtime.ports.api,
    });
    await runtime.applyDeployment(content, { keepTwins: !options.fresh && (await wasApplied(stateDir, content)) });
    show.start(started);
    await endOf(options.seconds);
  } finally {
    show.stop();
    await runtime.stop();
  }
  if (options.seconds !== undefined && !summary.hasWorked) {
    process.stderr.write(
      'vantage: no detections or no clip in that time (run longer, or look at the problems above)\n',
    );
    process.exitCode = 1;
  }
}

/**
 * Whether this very deployment was applied last: then twin edits since are the user's and stay. Another source or model
 * is another deployment, and its twins win.
 */
async function wasApplied(stateDir: string, content: ModulesContent): Promise<boolean> {
  const file = path.join(stateDir, 'deployment.sha256');
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const before = await readFile(file, 'utf8').catch(() => '');
  await writeFile(file, hash);
  return before === hash;
}

/** Resolves on Ctrl-C, SIGTERM or after the time. */
async function endOf(seconds: number | undefined): Promise<void> {
  const abort = new AbortController();
  const timer = seconds === undefined ? undefined : setTimeout(() => abort.abort(), seconds * 1000);
  const end = (): void => abort.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  // Without a timer or a socket of its own this wait would not keep the process.
  const hold = setInterval(() => undefined, 60_000);
  await once(abort.signal, 'abort');
  clearTimeout(timer);
  clearInterval(hold);
  process.off('SIGINT', end).off('SIGTERM', end);
}

interface Display {
  event(event: UpEvent): void;
  start(startedMs: number): void;
  stop(): void;
}

/** JSON lines, a picture that redraws itself in a terminal, or plain lines. */
function display(json: boolean, summary: Summary): Display {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (json) {
    const line = (event: UpEvent): void => print(JSON.stringify({ time: new Date().toISOString(), ...event }));
    return { event: line, start: () => undefined, stop: () => undefined };
  }
  if (process.stdout.isTTY) {
    let timer: NodeJS.Timeout | undefined;
    const draw = (startedMs: number) => (): void => logUpdate(summary.render(performance.now() - startedMs));
    return {
      event: () => undefined,
      start: (startedMs) => (timer = setInterval(draw(startedMs), REDRAW_MS)),
      stop: () => {
        clearInterval(timer);
        logUpdate.done();
      },
    };
  }
  return {
    event: (event) => {
      const line = Summary.line(event);
      if (line !== undefined) print(line);
    },
    start: () => undefined,
    stop: () => undefined,
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
