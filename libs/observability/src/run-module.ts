import { once } from 'node:events';
import { codeOf, messageOf } from '@vantage/contracts';
import { Health } from './health.ts';
import { healthAddress, startHealthServer, type HealthServer } from './health-server.ts';
import { HttpRoutes } from './http-routes.ts';
import { parseLogLevel } from './log-level.ts';
import { createLogger, type RootLogger } from './logger.ts';
import { Metrics } from './metrics.ts';
import { redact } from './redact.ts';

/** What a module is given when it starts. */
export interface ModuleContext {
  readonly name: string;
  readonly logger: RootLogger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** What the module answers on the address of `/metrics`. */
  readonly routes: HttpRoutes;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts as soon as the module should stop, also while it is still starting. */
  readonly signal: AbortSignal;
  /** The port of `/metrics`; undefined when off. */
  readonly metricsPort: number | undefined;
}

export interface RunningModule {
  /** Stops everything the module started. Called once; has ten seconds. */
  stop(): Promise<void>;
  /** For a module that can end by itself: settles when it has; rejects when it failed. */
  readonly done?: Promise<void>;
}

export interface RunModuleOptions {
  readonly name: string;
  readonly start: (context: ModuleContext) => Promise<RunningModule>;
  /** A variable of the original's that names the level, where `VANTAGE_LOG_LEVEL` is absent. */
  readonly logLevelVariable?: string;
  /** Milliseconds a clean stop may take before the process ends with status 1. Default 10 000. */
  readonly stopTimeoutMs?: number;
}

type Ending = { readonly reason: string; readonly error?: unknown };

/**
 * The main of every module: makes logger, metrics and health server from the environment, starts the module, waits
 * for SIGTERM, SIGINT or (with `VANTAGE_PARENT_STDIN=1`) the end of standard input, stops it within ten seconds and
 * ends the process: status 0 after a clean stop, 1 after an error or a stop that took too long. A second signal ends
 * it at once. The only place that calls `process.exit`.
 *
 * Environment: `VANTAGE_LOG_LEVEL` (else `logLevelVariable`, else edgeAgent's `RuntimeLogLevel`), `VANTAGE_METRICS_PORT`,
 * `VANTAGE_METRICS_HOST`, `VANTAGE_PARENT_STDIN`.
 */
export async function runModule(options: RunModuleOptions): Promise<never> {
  const env = process.env;
  const asked = env['VANTAGE_LOG_LEVEL'] || env[options.logLevelVariable ?? ''];
  const level = parseLogLevel(asked) ?? parseLogLevel(env['RuntimeLogLevel'], false) ?? 'information';
  const logger = createLogger({ module: options.name, level });
  if (asked && parseLogLevel(asked) === undefined) logger.setLevel(asked);
  const abort = new AbortController();
  const ending = firstEnding(env, abort, () => exit(1));

  let server: HealthServer | undefined;
  let running: Promise<RunningModule> | undefined;
  const health = new Health();
  const metrics = new Metrics();
  const routes = new HttpRoutes();
  let status = 0;
  const failed = (error: unknown): void => {
    status = 1;
    health.fatal(redact(messageOf(error)));
    logger.critical(`module failed: ${messageOf(error)}`, { code: codeOf(error), error });
  };
  // A module may hold no handle of its own between two events; only this function ends the process.
  setInterval(() => undefined, 2 ** 30);
  try {
    metrics.start();
    const address = healthAddress(env);
    if (address !== undefined) server = await startHealthServer({ ...address, metrics, health, routes, logger });
    const context = {
      name: options.name,
      logger,
      metrics,
      health,
      routes,
      env,
      signal: abort.signal,
      metricsPort: server?.port,
    };
    logger.info('module starts', { pid: process.pid, node: process.version, metricsPort: server?.port });
    running = options.start(context);
    const started = running.then((module) => {
      health.started();
      logger.info('module runs');
      return module.done?.then((): Ending => ({ reason: 'done' })) ?? new Promise<never>(() => undefined);
    });
    const end = await Promise.race([ending, started]);
    if (end.error === undefined) logger.info(`module stops: ${end.reason}`);
    else failed(end.error);
  } catch (error) {
    failed(error);
  }
  abort.abort();
  if (!(await stopWithin(options.stopTimeoutMs ?? 10_000, logger, running))) status = 1;
  await server?.close();
  return exit(status);
}

/** Resolves with the first reason to stop; later signals end the process through `impatient`. */
function firstEnding(env: NodeJS.ProcessEnv, abort: AbortController, impatient: () => void): Promise<Ending> {
  return new Promise((resolve) => {
    let signals = 0;
    const end = (ending: Ending): void => {
      resolve(ending);
      abort.abort();
    };
    const onSignal = (signal: string): void => {
      signals += 1;
      if (signals > 1) impatient();
      else end({ reason: signal });
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.on('uncaughtException', (error) => end({ reason: 'uncaught exception', error }));
    process.on('unhandledRejection', (error) =>
      end({ reason: 'unhandled rejection', error: error ?? new Error('unhandled rejection') }),
    );
    if (env['VANTAGE_PARENT_STDIN'] === '1') {
      process.stdin.on('error', () => end({ reason: 'parent is gone' }));
      process.stdin.on('end', () => end({ reason: 'parent is gone' }));
      process.stdin.resume();
    }
  });
}

/** True after a clean stop in time. A module that is still starting is stopped once it has started. */
async function stopWithin(
  timeoutMs: number,
  logger: RootLogger,
  running: Promise<RunningModule> | undefined,
): Promise<boolean> {
  if (running === undefined) return true;
  const timeout = AbortSignal.timeout(timeoutMs);
  const tooLate = once(timeout, 'abort').then(() => 'late' as const);
  const stopped = running.then(
    (module) =>
      module.stop().then(
        () => 'clean' as const,
        (error: unknown) => {
          logger.error(`stop failed: ${messageOf(error)}`, { code: codeOf(error), error });
          return 'failed' as const;
        },
      ),
    () => 'clean' as const,
  );
  const result = await Promise.race([stopped, tooLate]);
  if (result === 'late') logger.error(`module did not stop within ${timeoutMs} ms`, { code: 'STOP_TIMEOUT' });
  return result === 'clean';
}

function exit(status: number): never {
  process.exit(status);
}
