import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { REPOSITORY } from '../support/assets.ts';

/** The Player as a process of its own, at the hub of a state folder. */
export class RunningPlayer {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(state: string, env: NodeJS.ProcessEnv = {}): Promise<RunningPlayer> {
    const child = fork(path.join(REPOSITORY, 'modules/player/src/main.ts'), [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        VANTAGE_STATE: state,
        PLAYER_PORT: '0',
        VANTAGE_METRICS_PORT: 'off',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the Player ended with ${String(code)}:\n${errors.slice(-3000)}`);
    });
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [{ url: string }];
    ended.catch(() => undefined);
    return new RunningPlayer(child, message.url);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await closed;
  }
}
