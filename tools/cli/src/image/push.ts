import { readFile } from 'node:fs/promises';
import { VantageError } from '@vantage/contracts';
import { connectEngine, findImage } from '@vantage/local-edge';
import { credentialsFor, type PushCredentials } from './credentials.ts';
import { followPush } from './follow-push.ts';

export interface ImagePushOptions {
  readonly imageName: string;
  readonly containerRegistry: string;
  readonly username?: string;
  readonly passwordFile?: string;
}

/**
 * Gives an image the registry's name and pushes it there. The password comes from a file, from Docker's own logins or
 * from a prompt, never from the command line.
 *
 * @throws VantageError IMAGE_PUSH_FAILED, INPUT_MISSING
 */
export async function pushImage(options: ImagePushOptions, tell: (line: string) => void): Promise<void> {
  const docker = await connectEngine();
  const { imageName } = options;
  const registry = options.containerRegistry.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  if (!(await findImage(docker, imageName))) {
    throw new VantageError(
      'INPUT_MISSING',
      `this engine has no image ${imageName}; "vantage image list" names those of Vantage`,
    );
  }
  const [repository = '', tag = 'latest'] = splitTag(imageName);
  const repo = repository.startsWith(`${registry}/`) ? repository : `${registry}/${repository}`;
  await docker.getImage(imageName).tag({ repo, tag });
  // An engine wants to be told also that there is no login.
  const authconfig = (await credentialsFor(registry, await given(options))) ?? { username: '', password: '' };
  await followPush(docker, () => docker.getImage(`${repo}:${tag}`).push({ authconfig }), `${repo}:${tag}`);
  tell(`${repo}:${tag} pushed`);
}

async function given({ username, passwordFile }: ImagePushOptions): Promise<PushCredentials | undefined> {
  if (username === undefined) return undefined;
  if (passwordFile === undefined) return { username };
  try {
    return { username, password: (await readFile(passwordFile, 'utf8')).trimEnd() };
  } catch (error) {
    throw new VantageError('INPUT_MISSING', `the password file ${passwordFile} cannot be read`, { cause: error });
  }
}

/** A colon behind the last slash separates the tag; one before it a port. */
function splitTag(image: string): readonly string[] {
  const at = image.lastIndexOf(':');
  return at > image.lastIndexOf('/') ? [image.slice(0, at), image.slice(at + 1)] : [image];
}
