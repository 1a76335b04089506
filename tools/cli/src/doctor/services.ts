import { createServer } from 'node:net';
import { codeOf, messageOf } from '@vantage/contracts';
import { connectEngine } from '@vantage/local-edge';
import type { Finding } from './finding.ts';

/** Ports that a real edgeHub takes on a device. `vantage up` takes free ones. */
const EDGE_HUB_PORTS = [443, 5671, 8883];

export async function examineServices(): Promise<readonly Finding[]> {
  return [await containers(), await loopback(), await edgeHubPorts()];
}

async function containers(): Promise<Finding> {
  const id = 'docker';
  try {
    const { ServerVersion, Runtimes } = (await (await connectEngine()).info()) as {
      readonly ServerVersion: string;
      readonly Runtimes?: Readonly<Record<string, unknown>>;
    };
    const nvidia = Runtimes?.['nvidia'] === undefined ? '' : ' with the NVIDIA runtime';
    return { id, state: 'good', found: `engine ${ServerVersion}${nvidia}` };
  } catch (error) {
    return {
      id,
      state: 'limited',
      found: messageOf(error),
      remedy: 'Modules run as processes without one. For --containers: apt-get install docker.io, or set DOCKER_HOST.',
    };
  }
}

async function loopback(): Promise<Finding> {
  const complaint = await tryPort(0);
  if (complaint === undefined) return { id: 'loopback', state: 'good', found: 'ports of 127.0.0.1 can be listened on' };
  return {
    id: 'loopback',
    state: 'missing',
    found: `no port of 127.0.0.1 can be listened on: ${complaint}`,
    remedy: 'Bring the loopback interface up (ip link set lo up), or allow listening in the sandbox.',
  };
}

async function edgeHubPorts(): Promise<Finding> {
  const taken: string[] = [];
  for (const port of EDGE_HUB_PORTS) {
    const complaint = await tryPort(port);
    if (complaint !== undefined) taken.push(`${port} (${complaint})`);
  }
  const found = `ports of edgeHub: ${EDGE_HUB_PORTS.join(', ')}`;
  if (taken.length === 0) return { id: 'edge-hub-ports', state: 'good', found: `${found} are free` };
  return {
    id: 'edge-hub-ports',
    state: 'limited',
    found: `${found}; not to be had: ${taken.join(', ')}`,
    remedy: 'Only a real IoT Edge runtime needs them; vantage up takes free ports.',
  };
}

function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error) === 'EADDRINUSE' ? 'taken' : messageOf(error)));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}
