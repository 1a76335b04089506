import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ModuleClient, type Twin } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import iothub from 'azure-iothub';
import mqtt from 'mqtt';
import { EdgeRuntime, type EdgeRuntimeOptions } from '../src/index.ts';
import { createSasToken } from '../src/hub/sas.ts';

// The SDK's retries go on after close() for up to four minutes when two of its operations reconnect at once, and so
// does a second token renewal timer (45 minutes). Neither may keep the test process.
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = ((action: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
  const timer = setTimer(action, ms, ...args);
  const left = (ms ?? 0) > 600_000 || new Error().stack?.includes('retry_operation') === true;
  return left ? timer.unref() : timer;
}) as unknown as typeof setTimeout;

type Cleanup = () => Promise<void> | void;
const cleanups: Cleanup[] = [];

/** Ends what a test started, the last first. To be called after each test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export function after(cleanup: Cleanup): void {
  cleanups.push(cleanup);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-edge-'));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function startRuntime(options: Partial<EdgeRuntimeOptions> = {}): Promise<EdgeRuntime> {
  const stateDir = options.stateDir ?? (await temporaryFolder());
  const runtime = new EdgeRuntime({ ...options, stateDir });
  after(() => runtime.stop());
  await runtime.start();
  return runtime;
}

/** An unmodified SDK client, made and opened from the environment the runtime gives a module. */
export async function openModule(runtime: EdgeRuntime, moduleId: string): Promise<ModuleClient> {
  const client = await fromEnvironment(await runtime.moduleEnvironment(moduleId));
  after(() => closeQuietly(client));
  await client.open();
  return client;
}

/** `ModuleClient.fromEnvironment` under the given environment. */
export async function fromEnvironment(environment: Record<string, string>): Promise<ModuleClient> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    return await ModuleClient.fromEnvironment(Mqtt);
  } finally {
    for (const key of Object.keys(environment)) {
      if (before[key] === undefined) delete process.env[key];
      else process.env[key] = before[key];
    }
  }
}

export async function closeQuietly(client: ModuleClient): Promise<void> {
  try {
    await client.close();
  } catch {
    // It may be closed already, or its hub gone.
  }
}

export function updateReported(twin: Twin, patch: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const { reported } = twin.properties as unknown as {
      reported: { update(patch: object, done: (error?: Error) => void): void };
    };
    reported.update(patch, (error) => {
      if (error instanceof Error) reject(error);
      else resolve();
    });
  });
}

/** The next event of an SDK object, with a time limit that names it. */
export async function next(emitter: unknown, event: string, timeoutMs = 8000): Promise<unknown[]> {
  return once(emitter as EventEmitter, event, { signal: AbortSignal.timeout(timeoutMs) });
}

/** Resolves with the first event that fits. */
export function eventually<T>(
  subscribe: (listener: (event: T) => void) => void,
  fits: (event: T) => boolean,
): Promise<T> {
  return new Promise((resolve) => {
    subscribe((event) => {
      if (fits(event)) resolve(event);
    });
  });
}

/** `azure-iothub`'s Registry, pointed at the runtime as its contract section E.1 says. */
export async function openRegistry(runtime: EdgeRuntime): Promise<iothub.Registry> {
  const registry = iothub.Registry.fromConnectionString(runtime.serviceConnectionString);
  const agent = new Agent({ host: '127.0.0.1', port: runtime.ports.api, ca: await readFile(runtime.caFile) });
  after(() => {
    agent.destroy();
  });
  (registry as unknown as { _restApiClient: { setOptions(o: object): void } })._restApiClient.setOptions({
    http: { agent },
  });
  return registry;
}

/** The stored keys of a module. */
export function moduleKey(stateDir: string, moduleId: string): string {
  const database = new DatabaseSync(join(stateDir, 'edge.db'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT document FROM identities').all();
    const identities = rows.map(
      (row) => JSON.parse(String(row['document'])) as { moduleId: string; primaryKey: string },
    );
    return identities.find((identity) => identity.moduleId === moduleId)!.primaryKey;
  } finally {
    database.close();
  }
}

export interface RawConnect {
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
}

/** A bare MQTT client that says it is the module `m` of the runtime, unless told otherwise. */
export async function rawClient(runtime: EdgeRuntime, key: string, raw: RawConnect = {}): Promise<mqtt.MqttClient> {
  const audience = encodeURIComponent(`vantage-hub.local/devices/${runtime.deviceId}/modules/m`);
  const client = mqtt.connect({
    protocol: 'mqtts',
    host: '127.0.0.1',
    port: runtime.ports.mqtt,
    ca: await readFile(runtime.caFile),
    clientId: raw.clientId ?? `${runtime.deviceId}/m`,
    username: raw.username ?? `vantage-hub.local/${runtime.deviceId}/m/?api-version=2021-04-12`,
    password: raw.password ?? createSasToken(audience, key, Math.floor(Date.now() / 1000) + 3600),
    clean: false,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  after(() => {
    client.end(true);
  });
  return client;
}

export const ROUTES = {
  schemaVersion: '1.1',
  routes: {
    toB: 'FROM /messages/modules/a/outputs/out INTO BrokeredEndpoint("/modules/b/inputs/in")',
    up: 'FROM /messages/modules/a/outputs/up INTO $upstream',
  },
  storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
};
