import { readFile } from 'node:fs/promises';
import type { AuthenticationProvider } from 'azure-iot-common';
import common from 'azure-iot-common';
import type { ModuleClient } from 'azure-iot-device';
import device from 'azure-iot-device';
import type { Logger } from '@vantage/observability';
import { EdgeTransport } from './edge-transport.ts';
import { environmentIncomplete } from './errors.ts';

export interface CreatedClient {
  readonly client: ModuleClient;
  readonly transport: EdgeTransport;
}

/**
 * A fresh `ModuleClient` from the environment a module has on IoT Edge (contract iot-edge-runtime A.3), with our
 * transport in it and the SDK's own retries off: who uses it replaces it when it breaks (0.2, 0.4).
 *
 * @throws VantageError EDGE_ENVIRONMENT_INCOMPLETE, which no retry mends; other errors may pass
 */
export async function createModuleClient(env: NodeJS.ProcessEnv, logger: Logger): Promise<CreatedClient> {
  let transport: EdgeTransport | undefined;
  // `new` on a function that returns an object gives that object: how the SDK makes its transport.
  function TransportOfThisClient(authentication: AuthenticationProvider): EdgeTransport {
    transport = new EdgeTransport(authentication, logger);
    return transport;
  }
  const constructor = TransportOfThisClient as unknown as new (authentication: AuthenticationProvider) => EdgeTransport;
  const client = await fromEnvironment(env, constructor);
  if (transport === undefined) throw new Error('the SDK made no transport');
  client.setRetryPolicy(new common.NoRetry());
  await client.setOptions({ productInfo: 'Vantage' });
  return { client, transport };
}

async function fromEnvironment(
  env: NodeJS.ProcessEnv,
  constructor: new (a: AuthenticationProvider) => EdgeTransport,
): Promise<ModuleClient> {
  const connectionString = nonEmpty(env['EdgeHubConnectionString']) ?? nonEmpty(env['IotHubConnectionString']);
  if (connectionString === undefined)
    return withProcessEnv(env, async () => device.ModuleClient.fromEnvironment(constructor));
  const client = parsed(() => device.ModuleClient.fromConnectionString(connectionString, constructor));
  const caFile = nonEmpty(env['EdgeModuleCACertificateFile']);
  // The text, not the path: the path form would break method invocation (0.7).
  if (caFile !== undefined) await client.setOptions({ ca: await readFile(caFile, 'utf8') });
  return client;
}

const EDGE_VARIABLES = [
  'IOTEDGE_WORKLOADURI',
  'IOTEDGE_DEVICEID',
  'IOTEDGE_MODULEID',
  'IOTEDGE_IOTHUBHOSTNAME',
  'IOTEDGE_AUTHSCHEME',
  'IOTEDGE_GATEWAYHOSTNAME',
  'IOTEDGE_MODULEGENERATIONID',
  'EdgeHubConnectionString',
  'IotHubConnectionString',
] as const;

/** The SDK reads `process.env` while it is called, and only then, so another environment can stand there meanwhile. */
async function withProcessEnv<T>(env: NodeJS.ProcessEnv, call: () => Promise<T>): Promise<T> {
  const missing = EDGE_VARIABLES.slice(0, 5)
    .concat('IOTEDGE_MODULEGENERATIONID')
    .find((name) => nonEmpty(env[name]) === undefined);
  if (missing !== undefined) throw environmentIncomplete(new Error(`environment variable ${missing} is not set`));
  if (env['IOTEDGE_AUTHSCHEME']?.toLowerCase() !== 'sastoken') {
    throw environmentIncomplete(new Error(`authentication scheme "${env['IOTEDGE_AUTHSCHEME']}" is not sasToken`));
  }
  if (env === process.env) return call();
  const saved = EDGE_VARIABLES.map((name) => [name, process.env[name]] as const);
  const assign = (name: string, value: string | undefined): void => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
  for (const name of EDGE_VARIABLES) assign(name, env[name]);
  try {
    return call();
  } finally {
    for (const [name, value] of saved) assign(name, value);
  }
}

function parsed<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw environmentIncomplete(error instanceof Error ? error : new Error(String(error)));
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
