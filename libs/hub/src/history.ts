import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import type { Hub } from './hub.ts';

/** One state that something on a device had before another took its place. */
export interface Past {
  /** When it was replaced, ISO 8601. */
  readonly replacedAt: string;
  readonly file: string;
}

const KEPT = 20;

/** What a deployment or twin was before, in files that only their owner reads: manifests and twins hold passwords. */
export class History {
  readonly #folder: string;
  readonly #what: string;

  /** @param what such as `deployment` or `twin of ai-pipeline` */
  constructor(hub: Hub, what: string, env: NodeJS.ProcessEnv = process.env) {
    const state = env['XDG_STATE_HOME'] ?? path.join(os.homedir(), '.local/state');
    const home = env['VANTAGE_HOME'] ?? path.join(state, 'vantage');
    // Ids of devices may hold characters that file names may not.
    this.#folder = path.join(home, 'history', ...[hub.key, hub.device, what].map(encodeURIComponent));
    this.#what = what;
  }

  async add(value: object): Promise<void> {
    if (Object.keys(value).length === 0) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const [newest] = await this.list();
    // A clock that was set back must not change the order.
    const time = new Date(Math.max(Date.now(), newest ? Date.parse(newest.replacedAt) + 1 : 0));
    const file = path.join(this.#folder, `${time.toISOString().replaceAll(':', '-')}.json`);
    await writeFile(`${file}.part`, JSON.stringify(value, null, 2), { mode: 0o600 });
    await rename(`${file}.part`, file);
    for (const old of (await this.list()).slice(KEPT)) await rm(old.file, { force: true });
  }

  /** Newest first. */
  async list(): Promise<Past[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .filter((name) => name.endsWith('.json'))
      .sort()
      .reverse()
      .map((name) => ({
        replacedAt: name.slice(0, -'.json'.length).replace(/T(\d+)-(\d+)-/, 'T$1:$2:'),
        file: path.join(this.#folder, name),
      }));
  }

  /** @param steps 1 is the newest. @throws VantageError HISTORY_EMPTY */
  async read<T>(steps: number): Promise<{ readonly value: T; readonly past: Past }> {
    const all = await this.list();
    const past = all[steps - 1];
    if (!past) {
      const have = all.length === 0 ? 'nothing is kept' : `only ${all.length} are kept`;
      throw new VantageError('HISTORY_EMPTY', `there is no ${this.#what} to go back to: ${have} of this device`);
    }
    return { value: JSON.parse(await readFile(past.file, 'utf8')) as T, past };
  }

  /** Forgets what was gone back to: it is in force again. What it took the place of is the newest now. */
  async forget({ file }: Past): Promise<void> {
    await rm(file, { force: true });
  }
}

/** What the desired properties of a module were before. */
export function twinHistory(hub: Hub, module: string, env: NodeJS.ProcessEnv = process.env): History {
  return new History(hub, `twin of ${module}`, env);
}
