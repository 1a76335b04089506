import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { VantageError } from '@vantage/contracts';
import { ask } from '../ask.ts';

export interface PushCredentials {
  readonly username: string;
  readonly password?: string;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/**
 * Who pushes: what was given, asked for where its password is missing and somebody sits there; else the login that
 * `docker login` has kept for the registry; else nobody, which a registry without accounts takes.
 */
export async function credentialsFor(
  registry: string,
  given: PushCredentials | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly username: string; readonly password: string } | undefined> {
  if (given?.password !== undefined) return { username: given.username, password: given.password };
  if (given) return { username: given.username, password: await askPassword(given.username, registry) };
  const config = await dockerConfig(env);
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  if (helper !== undefined && /^[\w-]+$/.test(helper)) return askHelper(helper, registry);
  const auth = config.auths?.[registry]?.auth;
  if (auth === undefined) return undefined;
  const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':');
  return { username, password: rest.join(':') };
}

/** @throws VantageError PASSWORD_MISSING where nobody sits there, or nobody answers */
async function askPassword(username: string, registry: string): Promise<string> {
  const answer = process.stdin.isTTY
    ? await ask(`password of ${username} at ${registry}: `, { hidden: true })
    : undefined;
  if (answer !== undefined) return answer;
  throw new VantageError(
    'PASSWORD_MISSING',
    'no password: give a file by --password-file, or log in with "docker login"',
  );
}

async function dockerConfig(env: NodeJS.ProcessEnv): Promise<DockerConfig> {
  const folder = env['DOCKER_CONFIG'] ?? path.join(os.homedir(), '.docker');
  try {
    return JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as DockerConfig;
  } catch {
    // Nobody has logged in here.
    return {};
  }
}

/** The protocol of Docker's credential helpers: the registry in, `{"Username", "Secret"}` out. */
async function askHelper(name: string, registry: string): Promise<{ username: string; password: string } | undefined> {
  const child = spawn(`docker-credential-${name}`, ['get'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const failed = new Promise<string>((resolve) => child.on('error', () => resolve('')));
  child.stdin.on('error', () => undefined).end(registry);
  try {
    const { Username, Secret } = JSON.parse(await Promise.race([readAll(child.stdout), failed])) as Record<
      string,
      string
    >;
    return Username !== undefined && Secret !== undefined ? { username: Username, password: Secret } : undefined;
  } catch {
    return undefined;
  }
}
