import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { demo } from '@vantage/demo';
import { CONTAINER_VOLUMES, EdgeRuntime } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger, freePort } from '@vantage/observability';
import { writeConnection, type LocalConnection } from '@vantage/hub';
import { PlayerProcess } from '../player/process.ts';
import { makeDeployment, type ModulesContent } from './deployment.ts';
import type { UpEvent } from './events.ts';
import { moduleCommands } from './module-commands.ts';
import { requireFree } from './require-free.ts';
import { CLIP_CONTAINER, LocalStorage } from './storage/storage.ts';
import type { UpOptions } from './up.ts';
import { watchRuntime } from './watch-runtime.ts';

/** The runtime and its modules, from their start until `untilEnd` resolves and all of them have ended. */
export async function runSuite(
  options: UpOptions,
  stateDir: string,
  live: boolean,
  tell: (event: UpEvent) => void,
  untilEnd: (runtime: EdgeRuntime) => Promise<void>,
): Promise<void> {
  await requireFree(stateDir);
  const ffmpeg = await resolveFfmpeg();
  if (options.build) {
    const { buildImages } = await import('../image/build-images.ts');
    await buildImages({ localBase: true }, (line) => void process.stderr.write(`built ${line}\n`));
  }
  const content = await makeDeployment(options);
  const logFolder = path.join(stateDir, 'logs');
  await mkdir(logFolder, { recursive: true });
  const rtspPort = await freePort();
  const logger = createLogger({
    module: 'edge',
    level: 'warning',
    // Lines of a log would tear a picture that redraws itself.
    destination: live ? createWriteStream(path.join(logFolder, 'edge.log'), { flags: 'a' }) : process.stderr,
  });
  const storage = options.storage === false ? undefined : await LocalStorage.start(stateDir, logger);
  const runtime = new EdgeRuntime({
    stateDir,
    mqttPort: options.mqttPort,
    apiPort: options.apiPort,
    executor: options.containers ? 'docker' : 'process',
    resolveImage: moduleCommands({
      rtspPort,
      mediaFolder: path.dirname(demo.video),
      ffmpeg,
      nodeRoot: options.deployment === undefined ? process.cwd() : path.dirname(path.resolve(options.deployment)),
    }),
    hosts: { rtspsim: `127.0.0.1:${rtspPort}`, 'custom-node-host': '127.0.0.1' },
    ...(storage === undefined
      ? {}
      : { storageConnectionString: storage.connectionString, storageContainer: CLIP_CONTAINER }),
    logger,
  });
  watchRuntime(runtime, tell);
  const connection = (): LocalConnection => ({
    pid: process.pid,
    deviceId: runtime.deviceId,
    apiPort: runtime.ports.api,
    serviceConnectionString: runtime.serviceConnectionString,
    caFile: runtime.caFile,
  });
  const clipFolder = path.join(stateDir, options.containers ? CONTAINER_VOLUMES : 'volumes', 'VideoUploaderCache');
  const player =
    options.player === false
      ? undefined
      : new PlayerProcess(
          {
            stateDir,
            logFolder,
            clipFolder,
            port: options.playerPort ?? 0,
            ffmpegPath: ffmpeg.path,
            sharesFiles: !options.containers,
            ...(storage === undefined
              ? {}
              : { storage: { connectionString: storage.connectionString, container: CLIP_CONTAINER } }),
          },
          (event) => {
            tell(event);
            if (event.event === 'player') void writeConnection(stateDir, { ...connection(), playerUrl: event.url });
          },
        );

  try {
    await runtime.start();
    await writeConnection(stateDir, connection());
    tell({
      event: 'started',
      deviceId: runtime.deviceId,
      ffmpeg: `${ffmpeg.version} (${ffmpeg.origin})`,
      mqttPort: runtime.ports.mqtt,
      apiPort: runtime.ports.api,
      clipFolder,
      logFolder,
    });
    await runtime.applyDeployment(content, { keepTwins: !options.fresh && (await wasApplied(stateDir, content)) });
    player?.start();
    await untilEnd(runtime);
  } finally {
    await player?.stop();
    await runtime.stop();
    await storage?.stop();
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
