import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

const USER = 'operator';
const PASSWORD = 'lantern-and-gate';
/** bcrypt of the password above. */
const HTPASSWD = `${USER}:$2y$05$abcdefghijklmnopqrstuubTi85t5YnNbG4yA7UzBIiL9EKaaqSDO\n`;

/** Whether this machine has the registry (Debian: `docker-registry`). */
export const hasRegistry = (): boolean => spawnSync('docker-registry', ['--version']).error === undefined;

/** The registry of the Docker project on a free port of loopback, which wants a login. */
export class DockerRegistry {
  readonly user = USER;
  readonly password = PASSWORD;
  readonly passwordFile: string;
  /** `127.0.0.1:<port>`, as in names of images. */
  readonly host: string;
  readonly #child: ChildProcess;

  private constructor(host: string, folder: string, child: ChildProcess) {
    this.host = host;
    this.passwordFile = path.join(folder, 'password');
    this.#child = child;
  }

  static async start(folder: string): Promise<DockerRegistry> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'password'), `${PASSWORD}\n`);
    writeFileSync(path.join(folder, 'htpasswd'), HTPASSWD);
    const configuration = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: path.join(folder, 'blobs') } },
      http: { addr: '127.0.0.1:0' },
      auth: { htpasswd: { realm: 'vantage', path: path.join(folder, 'htpasswd') } },
    };
    // JSON is YAML, too.
    writeFileSync(path.join(folder, 'config.yml'), JSON.stringify(configuration));
    const child = spawn('docker-registry', ['serve', path.join(folder, 'config.yml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const host = await new Promise<string>((resolve, reject) => {
      let said = '';
      createInterface({ input: child.stderr }).on('line', (line) => {
        said = `${said}${line}\n`.slice(-2000);
        const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
      child.on('error', reject);
      child.on('exit', (code) => reject(new Error(`the registry ended with ${code}:\n${said}`)));
    });
    return new DockerRegistry(host, folder, child);
  }

  /** The repositories that it holds. */
  async repositories(): Promise<string[]> {
    const login = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    const answer = await fetch(`http://${this.host}/v2/_catalog`, { headers: { authorization: `Basic ${login}` } });
    return ((await answer.json()) as { repositories: string[] }).repositories;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
