import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import type { Hub, ModulesContent } from '../hub/hub.ts';

/** One deployment that a device had before another took its place. */
export interface PastDeployment {
  /** When it was replaced, ISO 8601. */
  readonly replacedAt: string;
  readonly file: string;
}

const KEPT = 20;

/** What devices ran before, in files that only their owner reads: manifests hold registry passwords. */
export class DeploymentHistory {
  readonly #folder: string;

  constructor(hub: Hub, env: NodeJS.ProcessEnv = process.env) {
    const home =
      env['VANTAGE_HOME'] ?? path.join(env['XDG_STATE_HOME'] ?? path.join(os.homedir(), '.local/state'), 'vantage');
    // Ids of devices may hold characters that file names may not.
    this.#folder = path.join(home, 'deployments', encodeURIComponent(hub.name), encodeURIComponent(hub.device));
  }

  async add(content: ModulesContent): Promise<void> {
    if (Object.keys(content).length === 0) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = path.join(this.#folder, `${new Date().toISOString().replaceAll(':', '-')}.json`);
    await writeFile(`${file}.part`, JSON.stringify({ modulesContent: content }, null, 2), { mode: 0o600 });
    await rename(`${file}.part`, file);
    for (const old of (await this.list()).slice(KEPT)) await rm(old.file, { force: true });
  }

  /** Newest first. */
  async list(): Promise<PastDeployment[]> {
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
  async read(steps: number): Promise<{ readonly content: ModulesContent; readonly past: PastDeployment }> {
    const all = await this.list();
    const past = all[steps - 1];
    if (!past) {
      const have = all.length === 0 ? 'nothing is kept' : `only ${all.length} are kept`;
      throw new VantageError('HISTORY_EMPTY', `there is no deployment to go back to: ${have} of this device`);
    }
    const { modulesContent } = JSON.parse(await readFile(past.file, 'utf8')) as { modulesContent: ModulesContent };
    return { content: modulesContent, past };
  }

  /** Forgets what was gone back to, so that going back again goes further. */
  async forget({ file }: PastDeployment): Promise<void> {
    await rm(file, { force: true });
  }
}
