import path from 'node:path';
import { codeOf, messageOf, OUTPUTS } from '@vantage/contracts';
import type { EdgeModuleApi } from '@vantage/edge-client';
import type { Logger } from '@vantage/observability';
import { announcementOf } from './clips/announcement.ts';
import { readClipJson } from './clips/clip-facts.ts';
import { baseOf } from './clips/clip-names.ts';
import type { Journal } from './journal.ts';

export interface AnnouncerOptions {
  readonly edge: Pick<EdgeModuleApi, 'send'>;
  readonly journal: Journal;
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The JSON of this name needs nothing more. */
  readonly onAnnounced: (name: string) => void;
}

const PAUSE_MS = 30_000;
const MAX_UNDER_WAY = 4;

/** Sends the JSON of stored clips (contract C.5), a few at a time; a message arrives at least once. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  /** Under way, or not before this moment (monotonic). */
  readonly #waiting = new Map<string, number>();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Does not wait for the edge hub. */
  async step(enabled: boolean): Promise<void> {
    const { journal, folder } = this.#options;
    const now = performance.now();
    for (const [name, untilMs] of this.#waiting) if (untilMs <= now) this.#waiting.delete(name);
    for (const { path: name, kind, stored } of journal.in(['stored'], 1000)) {
      if (kind !== 'json' || this.#waiting.has(name)) continue;
      const message = enabled ? announcementOf(await readClipJson(path.join(folder, name))) : undefined;
      if (message === undefined) {
        this.#done(name);
        continue;
      }
      if (this.#waiting.size >= MAX_UNDER_WAY) return;
      const shortened = message.shortened === undefined ? {} : { shortened: message.shortened };
      this.#send(name, message.body, { clip: `${baseOf(name)}.mp4`, blob: stored ?? '', ...shortened });
    }
  }

  #send(name: string, body: string, properties: Readonly<Record<string, string>>): void {
    const { edge, logger, signal } = this.#options;
    this.#waiting.set(name, Infinity);
    edge
      .send(OUTPUTS.clips, body, properties)
      .then(() => {
        this.#waiting.delete(name);
        // The journal is closed then; it is sent again at the next start.
        if (!signal.aborted) this.#done(name);
      })
      .catch((error: unknown) => {
        this.#waiting.set(name, performance.now() + PAUSE_MS);
        logger.warn(`a clip was not announced: ${messageOf(error)}`, { file: name, code: codeOf(error) });
      });
  }

  #done(name: string): void {
    this.#options.journal.move(name, 'announced');
    this.#options.onAnnounced(name);
  }
}
