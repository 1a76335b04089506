import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EdgeRuntime, type ModuleEvent } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { makeDeployment, type DeploymentOptions } from '../../tools/cli/src/up/deployment.ts';
import type { UpEvent } from '../../tools/cli/src/up/events.ts';
import { moduleCommands } from '../../tools/cli/src/up/module-commands.ts';
import { watchRuntime } from '../../tools/cli/src/up/watch-runtime.ts';

type Seen = UpEvent & { readonly atMs: number };

/** The whole suite as `vantage up` runs it: the edge runtime in this process, each module a process of its own. */
export class Suite {
  readonly stateDir = mkdtempSync(path.join(os.tmpdir(), 'vantage-suite-'));
  readonly events: Seen[] = [];
  readonly pids = new Map<string, number>();
  readonly runtime: EdgeRuntime;
  readonly #waiters = new Set<() => void>();

  private constructor(runtime: (stateDir: string) => EdgeRuntime) {
    this.runtime = runtime(this.stateDir);
    watchRuntime(this.runtime, (event) => {
      this.events.push({ ...event, atMs: Date.now() });
      for (const wake of this.#waiters) wake();
    });
    this.runtime.on('module', ({ id, pid }: ModuleEvent) => {
      if (pid !== undefined) this.pids.set(id, pid);
    });
    this.runtime.on('twin', () => {
      for (const wake of this.#waiters) wake();
    });
  }

  static async start(options: DeploymentOptions): Promise<Suite> {
    const ffmpeg = await resolveFfmpeg();
    const suite = new Suite(
      (stateDir) =>
        new EdgeRuntime({
          stateDir,
          resolveImage: moduleCommands({ rtspPort: 0, mediaFolder: stateDir, ffmpeg }),
          // A restarted module is back within a second instead of ten.
          restartTiming: { coolOffUnitMs: 500 },
        }),
    );
    await suite.runtime.start();
    await suite.runtime.applyDeployment(await makeDeployment(options));
    return suite;
  }

  get clipFolder(): string {
    return path.join(this.stateDir, 'volumes', 'VideoUploaderCache');
  }

  reported(moduleId: string): Readonly<Record<string, unknown>> {
    return this.runtime.twin(moduleId).reported;
  }

  /** The first event of a kind from `after` on that fits. */
  event<K extends UpEvent['event']>(
    kind: K,
    fits: (event: Extract<Seen, { event: K }>) => boolean = () => true,
    { after = 0, timeoutMs = 60_000 } = {},
  ): Promise<Extract<Seen, { event: K }>> {
    const isIt = (event: Seen): event is Extract<Seen, { event: K }> =>
      event.event === kind && fits(event as Extract<Seen, { event: K }>);
    return this.until(`an event ${kind}`, () => this.events.slice(after).find(isIt), timeoutMs);
  }

  /** Waits, from event to event, for `look` to find something. */
  async until<T>(what: string, look: () => T | undefined | false, timeoutMs = 60_000): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > deadline) {
        const tail = this.events.slice(-15).map((event) => JSON.stringify(event));
        const log = readFileSync(path.join(this.stateDir, 'logs', 'ai-pipeline.log'), 'utf8').slice(-2500);
        throw new Error(
          `no ${what} within ${timeoutMs} ms; the last events:\n${tail.join('\n')}\nai-pipeline:\n${log}`,
        );
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(1000, Math.max(1, deadline - Date.now())));
        this.#waiters.add(wake);
      });
    }
  }

  async stop(): Promise<void> {
    await this.runtime.stop();
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}
