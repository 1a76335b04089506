import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { REPOSITORY } from '../../support/assets.ts';

/** A Player without modules behind it, in a process of its own. */
export class PlayerAlone {
  readonly folder: string;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, url: string, child: ChildProcess) {
    this.folder = folder;
    this.url = url;
    this.#child = child;
  }

  /**
   * @param desired of the controllermodule at a local runtime; undefined: there is no hub
   * @param more settings, given the folder of this Player, which goes with it
   */
  static async start(
    desired: object | undefined,
    more: (folder: string) => NodeJS.ProcessEnv = () => ({}),
  ): Promise<PlayerAlone> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'player-alone-'));
    const env = {
      ...process.env,
      FOLDER: folder,
      ...(desired ? { DESIRED: JSON.stringify(desired) } : {}),
      ...more(folder),
    };
    const child = fork(path.join(REPOSITORY, 'e2e/support/player-alone.ts'), [], {
      env,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const told = new Promise<string>((resolve, reject) => {
      child.once('message', (message: { url: string }) => resolve(message.url));
      child.once('exit', (status) => reject(new Error(`the Player ended with status ${status ?? 'none'}`)));
    });
    return new PlayerAlone(folder, await told, child);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
