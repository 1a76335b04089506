import type Docker from 'dockerode';
import { imageUnavailable } from '../../errors.ts';
import type { RegistryCredential } from '../config.ts';
import type { ModuleLaunch } from '../executor.ts';
import { engineMessage, findImage } from './engine.ts';

/**
 * Sees to it that the image is there, and gives its id (`sha256:…`). One that is there is taken as it is, so that all
 * of it works offline; `on-create` fetches one that is missing, `never` does not.
 * @throws VantageError EDGE_IMAGE_UNAVAILABLE
 */
export async function provideImage(
  docker: Docker,
  { image, imagePullPolicy, registryCredentials }: ModuleLaunch,
  onPull: () => void,
): Promise<string> {
  const present = await findImage(docker, image);
  if (present !== undefined) return present.Id;
  if (imagePullPolicy === 'never') {
    throw imageUnavailable(image, 'it is not on this machine, and its imagePullPolicy is "never"');
  }
  onPull();
  try {
    const login = registryCredentials.find(({ address }) => address !== '' && hostOf(address) === registryOf(image));
    await pull(docker, image, login);
  } catch (error) {
    throw imageUnavailable(image, engineMessage(error), error);
  }
  const pulled = await findImage(docker, image);
  if (pulled === undefined) throw imageUnavailable(image, 'the engine fetched it and does not have it');
  return pulled.Id;
}

async function pull(docker: Docker, image: string, login: RegistryCredential | undefined): Promise<void> {
  const authconfig =
    login === undefined
      ? {}
      : { authconfig: { username: login.username, password: login.password, serveraddress: login.address } };
  const stream: NodeJS.ReadableStream = await docker.pull(image, authconfig);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The registry that an image comes from, as Docker reads names: the first part, if it can be a host. */
export function registryOf(image: string): string {
  const first = image.split('/')[0] ?? '';
  const isHost = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost');
  return isHost ? first.toLowerCase() : 'docker.io';
}

function hostOf(address: string): string {
  return (
    address
      .replace(/^[a-z]+:\/\//i, '')
      .split('/')[0]
      ?.toLowerCase() ?? ''
  );
}
