import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import type iothub from 'azure-iothub';
import { VantageError } from '@vantage/contracts';
import { readConnection } from './local-connection.ts';
import { Hub, type MethodCalls, type RegistryCalls } from './hub.ts';

/** Folder of a local runtime's state, in the folder where a command runs. */
export const DEFAULT_STATE = '.vantage';

/** Which hub and which device something is about. */
export interface HubChoice {
  /** State folder of a local runtime. */
  readonly state: string;
  /** Host name of an IoT Hub, for the Azure login of this machine. */
  readonly hub?: string;
  /** File with a service connection string. */
  readonly connectionFile?: string;
  readonly device?: string;
}

/**
 * The hub that the options and the environment mean.
 *
 * @throws VantageError RUNTIME_NOT_FOUND, HUB_UNKNOWN
 */
export async function findHub(options: HubChoice, env: NodeJS.ProcessEnv = process.env): Promise<Hub> {
  if (options.hub !== undefined) {
    const { DefaultAzureCredential } = await import('@azure/identity');
    const Registry = await loadRegistry();
    const { hub } = options;
    const credential = new DefaultAzureCredential();
    const registry = Registry.fromTokenCredential(hub, credential);
    const methods = async (): Promise<MethodCalls> => once((await loadClient()).fromTokenCredential(hub, credential));
    return new Hub(registry as unknown as RegistryCalls, hub, deviceOf(options, env), methods);
  }
  const text = await connectionString(options, env);
  return text === undefined ? local(options) : remote(text, deviceOf(options, env));
}

async function connectionString(options: HubChoice, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (options.connectionFile === undefined) {
    return options.state === DEFAULT_STATE ? env['IOTHUB_CONNECTION_STRING'] : undefined;
  }
  try {
    return (await readFile(options.connectionFile, 'utf8')).trim();
  } catch (error) {
    throw new VantageError('HUB_UNKNOWN', `the connection file ${options.connectionFile} cannot be read`, {
      cause: error,
    });
  }
}

async function remote(text: string, device: string | undefined): Promise<Hub> {
  const Registry = await loadRegistry();
  const host = /(?:^|;)HostName=([^;]+)/i.exec(text)?.[1];
  let registry;
  try {
    registry = Registry.fromConnectionString(text);
  } catch {
    // The SDK's own message quotes the text.
    throw new VantageError(
      'HUB_UNKNOWN',
      'that is no service connection string: HostName=…;SharedAccessKeyName=…;SharedAccessKey=…',
    );
  }
  return new Hub(registry as unknown as RegistryCalls, host ?? 'IoT Hub', device, async () =>
    once((await loadClient()).fromConnectionString(text)),
  );
}

async function local({ state, device }: HubChoice): Promise<Hub> {
  const Registry = await loadRegistry();
  const connection = await readConnection(state);
  const { serviceConnectionString } = connection;
  const registry = Registry.fromConnectionString(serviceConnectionString) as unknown as RegistryCalls;
  // The SDK always calls port 443; an agent is the one way to another.
  const agent = new https.Agent({ host: '127.0.0.1', port: connection.apiPort, ca: await readFile(connection.caFile) });
  registry._restApiClient.setOptions({ http: { agent } });
  const methods = async (): Promise<MethodCalls> => {
    const client = (await loadClient()).fromConnectionString(serviceConnectionString);
    (client as unknown as RegistryCalls)._restApiClient.setOptions({ http: { agent } });
    return once(client);
  };
  const key = `local-${createHash('sha256').update(path.resolve(state)).digest('hex').slice(0, 12)}`;
  return new Hub(registry, 'local', device ?? connection.deviceId, methods, key);
}

function deviceOf({ device }: HubChoice, env: NodeJS.ProcessEnv): string | undefined {
  return device ?? env['VANTAGE_DEVICE'];
}

/** A method is called once: the SDK would go on for four minutes, and a method may not be one to repeat. */
function once(client: iothub.Client): MethodCalls {
  client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => -1 });
  return client;
}

/** The SDK takes most of a second to load: who calls a hub waits for this half, and who calls a method for the other. */
async function loadRegistry(): Promise<typeof iothub.Registry> {
  return (await import('azure-iothub/dist/registry.js')).default.Registry;
}

async function loadClient(): Promise<typeof iothub.Client> {
  return (await import('azure-iothub/dist/client.js')).default.Client;
}
