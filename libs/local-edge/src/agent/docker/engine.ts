import type Docker from 'dockerode';
import { isTwinObject, messageOf } from '@vantage/contracts';
import { engineUnavailable } from '../../errors.ts';

/**
 * The container engine that `DOCKER_HOST` names, else the one at /var/run/docker.sock. Loaded when it is first wanted:
 * a runtime without containers needs nothing of it.
 * @throws VantageError EDGE_ENGINE_UNAVAILABLE
 */
export async function connectEngine(): Promise<Docker> {
  try {
    const { default: Engine } = await import('dockerode');
    const docker = new Engine();
    await docker.ping();
    return docker;
  } catch (error) {
    throw engineUnavailable(process.env['DOCKER_HOST'] ?? '/var/run/docker.sock', messageOf(error), error);
  }
}

/** The HTTP status in an error of the engine; undefined for any other error. */
export function engineStatus(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** An image of the engine; undefined where there is none of that name. */
export async function findImage(docker: Docker, image: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(image).inspect();
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** Does it, and is content when the engine says one of these: 304 it is so already, 404 it is not there, 409 it goes. */
export async function unless(statuses: readonly number[], action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const status = engineStatus(error);
    if (status === undefined || !statuses.includes(status)) throw error;
  }
}

/** What the engine itself says is wrong, without dockerode's frame around it. */
export function engineMessage(error: unknown): string {
  const json: unknown = typeof error === 'object' && error !== null && 'json' in error ? error.json : undefined;
  const message = isTwinObject(json) ? json['message'] : undefined;
  return typeof message === 'string' ? message : messageOf(error);
}
