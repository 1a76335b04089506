import { join, resolve } from 'node:path';
import { codeOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { EdgeAgent } from './agent/agent.ts';
import { AgentMethods } from './agent/agent-methods.ts';
import { DockerExecutor } from './agent/docker/docker-executor.ts';
import { TRUST_BUNDLE } from './agent/docker/container-config.ts';
import { GATEWAY_NAME, type HubPorts } from './agent/docker/gateway.ts';
import type { ModuleExecutor } from './agent/executor.ts';
import { LastGood } from './agent/last-good.ts';
import { ProcessExecutor } from './agent/process-executor.ts';
import { ModuleEnvironment } from './agent/module-environment.ts';
import { DEFAULT_RESTART_TIMING } from './agent/restart-policy.ts';
import { ApiServer } from './api/api-server.ts';
import type { ControlBackend } from './api/control-api.ts';
import type { Faults } from './faults/faults.ts';
import { HubAccess } from './hub/access.ts';
import { EdgeHub } from './hub/edge-hub.ts';
import { DEFAULT_LISTEN_ADDRESS } from './hub/mqtt-server.ts';
import { startMetricsServer } from './metrics-server.ts';
import type { EdgeRuntimeOptions } from './options.ts';
import { loadCertificates, type Certificates } from './state/certificates.ts';
import { StateDatabase } from './state/database.ts';
import { BlobStorage } from './registry/files/storage.ts';
import { HubService } from './registry/hub-service.ts';
import { identityName, IdentityStore } from './state/identities.ts';
import { lockStateFolder } from './state/lock.ts';
import { TwinStore } from './twin/store.ts';

/** What a running runtime is made of. */
export interface RuntimeParts {
  readonly access: HubAccess;
  readonly database: StateDatabase;
  readonly faults: Faults;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly hub: EdgeHub;
  readonly service: HubService;
  readonly agent: EdgeAgent;
  readonly environment: ModuleEnvironment;
  readonly mqttPort: number;
  readonly apiPort: number;
  readonly metricsPort: number | undefined;
  readonly startedAtUtc: string;
}

/** What the parts want of the runtime they belong to. */
export interface RuntimeHost {
  readonly logger: Logger;
  applyDeployment(modulesContent: unknown): Promise<void>;
  logged(moduleId: string, stream: 'stdout' | 'stderr', line: string): void;
  readonly faults: Faults;
  readonly control: ControlBackend;
}

/** Undoes one step of the start. */
export type Cleanup = () => Promise<void>;

type State = Pick<RuntimeParts, 'identities' | 'twins' | 'hub'>;

/**
 * Opens the state folder and starts the servers; modules are not started yet and clients are refused with
 * "unavailable". `cleanups` gets how to undo each step that was done, also when a later one throws.
 */
export async function startParts(
  options: EdgeRuntimeOptions,
  host: RuntimeHost,
  cleanups: Cleanup[],
): Promise<RuntimeParts> {
  const { stateDir, listenAddress = DEFAULT_LISTEN_ADDRESS } = options;
  // Containers know this machine by another name than processes do.
  const serverNames = [...(options.serverNames ?? []), ...(options.executor === 'docker' ? [GATEWAY_NAME] : [])];
  const { logger, faults } = host;
  const lock = await lockStateFolder(stateDir);
  cleanups.push(() => lock.release());
  const database = StateDatabase.open(stateDir, logger, () => faults.isDiskFull);
  cleanups.push(() => {
    database.close();
    return Promise.resolve();
  });
  const identities = new IdentityStore(database, logger);
  await identities.open(options);
  const hubName = identities.hub.hubHostName.replace(/:\d+$/, '');
  const certificates = await loadCertificates(stateDir, [hubName, listenAddress, ...serverNames]);
  const twins = new TwinStore(database, logger);
  await twins.open();
  cleanups.push(() => twins.close());

  const access = new HubAccess(identities, faults, [listenAddress, ...serverNames]);
  const hub = new EdgeHub({
    ...{ ...options, listenAddress },
    ...{ certificates, identities, access, twins, database, faults, logger },
  });
  cleanups.push(() => hub.stop());
  const mqttPort = await listenAgain(options.mqttPort, identities.hub.mqttPort, (port) => hub.listen(port));
  hub.load();
  const state = { identities, twins, hub };

  let metricsPort: number | undefined;
  if (options.metricsPort !== undefined) {
    const metrics = await startMetricsServer(hub.counts.registry, options.metricsPort);
    cleanups.push(() => metrics.close());
    metricsPort = metrics.port;
  }
  const storage = await openStorage(options, certificates, logger, cleanups);
  const service = new HubService({
    ...{ access, identities, twins, database, logger },
    now: () => faults.now(),
    storage,
    clientState: (name) => hub.clientState(name),
    invokeMethod: (name, call) => hub.methods.invoke(name, call),
    applyDeployment: (content) => host.applyDeployment(content),
    removeIdentity: (deviceId, moduleId) => removeIdentity(state, deviceId, moduleId),
  });
  await service.open();
  cleanups.push(() => service.stop());
  const acceptMqtt = hub.accept.bind(hub);
  const api = new ApiServer(certificates, service, host.control, acceptMqtt, logger);
  cleanups.push(() => api.close());
  const apiPort = await listenAgain(options.apiPort, identities.hub.apiPort, (port) => api.listen(port, listenAddress));
  await identities.rememberPorts(mqttPort, apiPort);

  const environment = makeEnvironment(options, host, { certificates, identities, mqttPort, apiPort, storage });
  cleanups.push(() => environment.close());
  const executor = makeExecutor(options, logger, database, {
    ...{ mqtt: mqttPort, api: apiPort },
    storage: storage?.frontPort,
  });
  const agent = makeAgent(options, host, state, database, environment, executor);
  const methods = serveAgentMethods(agent, state, environment);
  cleanups.push(async () => {
    await methods.stop();
    await agent.stop();
  });
  return {
    ...state,
    service,
    metricsPort,
    access,
    database,
    faults,
    agent,
    environment,
    mqttPort,
    apiPort,
    startedAtUtc: new Date().toISOString(),
  };
}

/** By which containers, or processes, know this machine. */
const hostFor = ({ executor }: EdgeRuntimeOptions): string => (executor === 'docker' ? GATEWAY_NAME : 'localhost');

async function openStorage(
  options: EdgeRuntimeOptions,
  certificates: Certificates,
  logger: Logger,
  cleanups: Cleanup[],
): Promise<BlobStorage | undefined> {
  const { storageConnectionString, storageContainer = 'uploads' } = options;
  if (storageConnectionString === undefined) return undefined;
  const storage = new BlobStorage(storageConnectionString, storageContainer, logger);
  cleanups.push(() => storage.close());
  await storage.openFront(certificates, hostFor(options));
  return storage;
}

function makeEnvironment(
  options: EdgeRuntimeOptions,
  host: RuntimeHost,
  parts: {
    readonly certificates: Certificates;
    readonly identities: IdentityStore;
    readonly mqttPort: number;
    readonly apiPort: number;
    readonly storage: BlobStorage | undefined;
  },
): ModuleEnvironment {
  const { storage, apiPort, identities } = parts;
  const inContainers = options.executor === 'docker';
  const { hub } = identities;
  return new ModuleEnvironment({
    ...parts,
    stateDir: options.stateDir,
    logger: host.logger,
    onLine: host.logged.bind(host),
    ofDevice: () =>
      storage === undefined
        ? {}
        : {
            IOTHUB_DEVICE_CONNECTION_STRING: `HostName=${hostFor(options)}${inContainers ? '' : `:${apiPort}`};DeviceId=${hub.deviceId};SharedAccessKey=${identities.require(hub.deviceId, '').primaryKey}`,
            BLOB_STORAGE_ACCOUNT_KEY: storage.accountKey,
          },
    caFile: inContainers ? TRUST_BUNDLE : resolve(options.stateDir, 'certs', 'ca.pem'),
  });
}

function makeExecutor(
  options: EdgeRuntimeOptions,
  logger: Logger,
  database: StateDatabase,
  ports: Omit<HubPorts, 'host'>,
): ModuleExecutor {
  const { stateDir, resolveImage = () => undefined, hosts = {} } = options;
  if (options.executor === 'docker') {
    const { listenAddress = DEFAULT_LISTEN_ADDRESS } = options;
    const host = listenAddress === '0.0.0.0' || listenAddress === '::' ? DEFAULT_LISTEN_ADDRESS : listenAddress;
    const caFile = join(stateDir, 'certs', 'ca.pem');
    return new DockerExecutor({
      stateDir: resolve(stateDir),
      caFile: resolve(caFile),
      ports: { ...ports, host },
      logger,
    });
  }
  return new ProcessExecutor({ stateDir, database, resolveImage, hosts, logger });
}

function makeAgent(
  options: EdgeRuntimeOptions,
  host: RuntimeHost,
  state: State,
  database: StateDatabase,
  environment: ModuleEnvironment,
  executor: ModuleExecutor,
): EdgeAgent {
  const { identities, twins } = state;
  const { deviceId } = identities.hub;
  const agentName = identityName(deviceId, '$edgeAgent');
  return new EdgeAgent({
    executor,
    lastGood: new LastGood(database),
    timing: { ...DEFAULT_RESTART_TIMING, ...options.restartTiming },
    logger: host.logger,
    prepare: async (spec, registryCredentials) => {
      const { moduleId } = spec;
      if (identities.get(deviceId, moduleId) === undefined) {
        await identities.create({ deviceId, moduleId, managedBy: 'IotEdge' });
      }
      return environment.launch(spec, registryCredentials);
    },
    removed: async (moduleId) => {
      await environment.forget(moduleId);
      // One that somebody made in the registry is theirs to remove.
      if (identities.get(deviceId, moduleId)?.managedBy !== 'IotEdge') return;
      await removeIdentity(state, deviceId, moduleId);
    },
    report: (reported) => twins.replaceReported(agentName, reported),
  });
}

function serveAgentMethods(
  agent: EdgeAgent,
  { identities, twins, hub }: State,
  environment: ModuleEnvironment,
): AgentMethods {
  const { deviceId, hubHostName } = identities.hub;
  const agentName = identityName(deviceId, '$edgeAgent');
  const methods = new AgentMethods({
    agent,
    source: { deviceId, hubHostName, logs: () => environment.logs() },
    reported: () => twins.get(agentName).reported,
    now: Date.now,
  });
  hub.methods.serveLocally(agentName, (name, payload) => methods.call(name, payload));
  return methods;
}

async function removeIdentity({ identities, twins, hub }: State, deviceId: string, moduleId: string): Promise<void> {
  for (const name of await identities.remove(deviceId, moduleId)) {
    await hub.forget(name);
    await twins.remove(name);
  }
}

/** The port that was asked for; else the one of the last run, so that clients find the hub again; else a free one. */
async function listenAgain(
  asked: number | undefined,
  last: number,
  listen: (port: number) => Promise<number>,
): Promise<number> {
  if (asked !== undefined && asked !== 0) return listen(asked);
  try {
    return await listen(last);
  } catch (error) {
    if (last === 0 || codeOf(error) !== 'EDGE_PORT_IN_USE') throw error;
    return listen(0);
  }
}
