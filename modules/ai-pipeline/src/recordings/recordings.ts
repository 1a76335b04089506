import { mkdir } from 'node:fs/promises';
import { messageOf } from '@vantage/contracts';
import type { EdgeModule } from '@vantage/edge-client';
import { removeStaleClips } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { recoverClips } from '../camera/clips/recover-clips.ts';
import { keepBudget } from './disk-budget.ts';

const LOOK_EVERY_MS = 30_000;
const NAMES = 10;

/** The folder of recordings: finishes what an earlier run left open, and keeps to the budget of the disk. */
export class Recordings {
  readonly #folder: string;
  readonly #edge: Pick<EdgeModule, 'report'>;
  readonly #logger: Logger;
  #maxBytes: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #removed = { clips: 0, bytes: 0, last: [] as { name: string; bytes: number }[] };

  constructor(folder: string, edge: Pick<EdgeModule, 'report'>, logger: Logger) {
    this.#folder = folder;
    this.#edge = edge;
    this.#logger = logger;
  }

  /** To be called before the first clip. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const recovered = await recoverClips(this.#folder, this.#logger);
    if (recovered > 0) this.#logger.warn(`${recovered} clips of a run that was killed are finished`);
    const stale = await removeStaleClips(this.#folder);
    if (stale > 0) this.#logger.warn(`${stale} unfinished clips of a run that was killed are removed`);
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** @param megabytes 0 = no limit */
  setBudget(megabytes: number): void {
    this.#maxBytes = megabytes * 1e6;
    this.look();
  }

  /** Removes what is too much. Nothing happens before the budget is known. */
  look(): void {
    this.#looking = this.#looking
      .then(() => this.#keep())
      .catch((error: unknown) =>
        this.#logger.error(`the budget of ${this.#folder} is not kept: ${messageOf(error)}`, {
          code: 'RECORDING_BUDGET_FAILED',
        }),
      );
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #keep(): Promise<void> {
    if (this.#maxBytes === undefined) return;
    const gone = await keepBudget(this.#folder, this.#maxBytes, Date.now());
    if (gone.length === 0) return;
    const bytes = gone.reduce((sum, clip) => sum + clip.bytes, 0);
    const names = gone.map((clip) => ({ name: clip.name, bytes: clip.bytes }));
    this.#removed = {
      clips: this.#removed.clips + gone.length,
      bytes: this.#removed.bytes + bytes,
      last: [...this.#removed.last, ...names].slice(-NAMES),
    };
    for (const clip of names)
      this.#logger.warn(`clip ${clip.name} (${clip.bytes} bytes) removed: there is no room for it`);
    await this.#edge.report({ clipsRemoved: this.#removed });
  }
}
