import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { codeOf, isTwinObject } from '@vantage/contracts';
import { silentLogger, type Logger } from '@vantage/observability';
import { EdgeAgent } from './agent/agent.ts';
import { parseModulesContent } from './agent/deployment.ts';
import { ProcessExecutor } from './agent/executor.ts';
import { ModuleEnvironment } from './agent/module-environment.ts';
import type { ModuleState } from './agent/module-supervisor.ts';
import { DEFAULT_RESTART_TIMING } from './agent/restart-policy.ts';
import { ApiServer } from './api/api-server.ts';
import { notRunning, identityNotFound } from './errors.ts';
import { HubAccess, SERVICE_POLICY } from './hub/access.ts';
import { EdgeHub, type ClientState } from './hub/edge-hub.ts';
import type { UpstreamMessage } from './hub/message.ts';
import type { MethodCall, MethodResult } from './hub/methods.ts';
import { latestEvents } from './latest-events.ts';
import type { ApplyDeploymentOptions, EdgeRuntimeEvents, EdgeRuntimeOptions, ModuleEvent } from './options.ts';
import { loadCertificates, type Certificates } from './state/certificates.ts';
import { identityName, IdentityStore } from './state/identities.ts';
import { lockStateFolder } from './state/lock.ts';
import { TwinStore, type Twin } from './twin/store.ts';

interface Parts {
  readonly certificates: Certificates;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly hub: EdgeHub;
  readonly agent: EdgeAgent;
  readonly environment: ModuleEnvironment;
  readonly mqttPort: number;
  readonly apiPort: number;
}

type Cleanup = () => Promise<void>;

/**
 * An IoT Edge runtime and hub on one machine, in this process; modules are its children. Unmodified Azure SDKs meet it:
 * `azure-iot-device` modules through their environment, `azure-iothub` through {@link serviceConnectionString}.
 *
 * `start()` brings up what the state folder holds, modules included; `stop()` ends every module and may be called
 * twice. After `stop()` it can be started again.
 */
export class EdgeRuntime extends EventEmitter<EdgeRuntimeEvents> {
  readonly #options: EdgeRuntimeOptions;
  readonly #logger: Logger;
  #parts: Parts | undefined;
  #cleanups: Cleanup[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: EdgeRuntimeOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  /** The name of the edge device. */
  get deviceId(): string {
    return this.#running.identities.hub.deviceId;
  }

  /** The ports that are really used. */
  get ports(): { readonly mqtt: number; readonly api: number } {
    const { mqttPort, apiPort } = this.#running;
    return { mqtt: mqttPort, api: apiPort };
  }

  /** PEM file of the CA that signed the servers' certificate: for `NODE_EXTRA_CA_CERTS`, or an https.Agent's `ca`. */
  get caFile(): string {
    return join(this.#options.stateDir, 'certs', 'ca.pem');
  }

  /**
   * For `azure-iothub`. The SDK ignores the port of a host name: give its REST client
   * `new https.Agent({ host: '127.0.0.1', port: ports.api, ca })`.
   */
  get serviceConnectionString(): string {
    const { identities, apiPort } = this.#running;
    return `HostName=localhost:${apiPort};SharedAccessKeyName=${SERVICE_POLICY};SharedAccessKey=${identities.hub.serviceKey}`;
  }

  /**
   * @throws VantageError EDGE_STATE_IN_USE when another runtime has the folder, EDGE_PORT_IN_USE
   */
  async start(): Promise<void> {
    if (this.#parts !== undefined) return;
    await this.#stopping;
    try {
      const lock = await lockStateFolder(this.#options.stateDir);
      this.#cleanups.push(() => lock.release());
      this.#parts = await this.#assemble();
    } catch (error) {
      await this.#cleanUp();
      throw error;
    }
    const { agent, hub, twins, identities, environment } = this.#parts;
    await environment.open();
    hub.open();
    await agent.start();
    const stored = twins.get(identityName(identities.hub.deviceId, '$edgeAgent'));
    if (Object.keys(stored.desired).length > 0) await agent.apply(stored.desired, stored.desiredVersion);
  }

  /** Ends all modules, then the hub. Nothing of them is left when it resolves. */
  stop(): Promise<void> {
    this.#stopping ??= this.#cleanUp().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  /**
   * Applies a deployment: a manifest, or its `modulesContent`. As in IoT Hub it replaces the list of modules, and the
   * desired properties of each module it names. Resolves when modules are started, not when they are connected.
   * @throws VantageError EDGE_DEPLOYMENT_INVALID, before anything is changed
   */
  async applyDeployment(deployment: unknown, options: ApplyDeploymentOptions = {}): Promise<void> {
    const { identities, twins, agent } = this.#running;
    const { deviceId } = identities.hub;
    const wanted = parseModulesContent(unwrap(deployment));
    const last = ['$edgeHub', '$edgeAgent'];
    // The agent comes last: when it starts modules, their twins and the routes are in place.
    const order = [...wanted.keys()].filter((moduleId) => !last.includes(moduleId)).concat(last);
    for (const moduleId of order) {
      const desired = wanted.get(moduleId);
      if (desired === undefined) continue;
      if (identities.get(deviceId, moduleId) === undefined) {
        await identities.create({ deviceId, moduleId, managedBy: 'IotEdge' });
      }
      const name = identityName(deviceId, moduleId);
      const keep = options.keepTwins === true && !last.includes(moduleId);
      if (keep && Object.keys(twins.get(name).desired).length > 0) continue;
      await twins.replaceDesired(name, desired);
    }
    await agent.settled();
  }

  /** The twin of a module of the edge device, `$edgeAgent` and `$edgeHub` included. */
  twin(moduleId: string): Twin {
    return this.#running.twins.get(this.#nameOf(moduleId));
  }

  /** Merges into a module's desired properties. @throws VantageError EDGE_TWIN_PATCH_INVALID, EDGE_IDENTITY_NOT_FOUND */
  async patchDesired(moduleId: string, patch: Readonly<Record<string, unknown>>): Promise<Twin> {
    return this.#running.twins.patch(this.#nameOf(moduleId), { desired: patch });
  }

  /** The modules that the agent runs, and how they are. */
  modules(): ModuleEvent[] {
    return this.#running.agent.states().map(moduleEvent);
  }

  /** Whether a module is connected, and since when; undefined when it never was since the start. */
  clientState(moduleId: string): ClientState | undefined {
    return this.#running.hub.clientState(this.#nameOf(moduleId));
  }

  /** Calls a direct method of a module. @throws VantageError EDGE_METHOD_TARGET_OFFLINE, EDGE_METHOD_TIMEOUT */
  invokeMethod(moduleId: string, call: MethodCall): Promise<MethodResult> {
    return this.#running.hub.methods.invoke(this.#nameOf(moduleId), call);
  }

  /**
   * Messages that leave for the cloud from now on, until `signal` aborts or the loop is left. Of what is not read the
   * newest 10 000 wait, older ones are dropped.
   */
  upstreamMessages(signal?: AbortSignal): AsyncGenerator<UpstreamMessage> {
    return latestEvents<UpstreamMessage>((listener) => {
      this.on('upstream', listener);
      return () => this.off('upstream', listener);
    }, signal);
  }

  /**
   * The environment in which `ModuleClient.fromEnvironment` reaches this runtime. For a module that is started by hand,
   * in a debugger for instance; its identity is made when there is none.
   */
  async moduleEnvironment(moduleId: string): Promise<Record<string, string>> {
    const { identities, environment } = this.#running;
    const { deviceId } = identities.hub;
    if (identities.get(deviceId, moduleId) === undefined) await identities.create({ deviceId, moduleId });
    return environment.of(moduleId);
  }

  async #assemble(): Promise<Parts> {
    const { stateDir, resolveImage } = this.#options;
    const logger = this.#logger;
    const certificates = await loadCertificates(stateDir);
    const identities = new IdentityStore(stateDir, logger);
    await identities.open(this.#options);
    const twins = new TwinStore(stateDir, logger);
    await twins.open();
    this.#cleanups.push(
      () => identities.close(),
      () => twins.close(),
    );
    const access = new HubAccess(identities);
    const { storeLimitBytes } = this.#options;
    const limit = storeLimitBytes === undefined ? {} : { storeLimitBytes };
    const hub = new EdgeHub({ stateDir, certificates, identities, access, twins, logger, ...limit });
    this.#cleanups.push(() => hub.stop());
    const mqttPort = await portOfLastRun(this.#options.mqttPort, identities.hub.mqttPort, (port) => hub.listen(port));
    await hub.load();
    const backend = {
      access,
      identities,
      twins,
      clientState: (name: string) => hub.clientState(name),
      invokeMethod: (name: string, call: MethodCall) => hub.methods.invoke(name, call),
      applyDeployment: async (deviceId: string, content: unknown) => {
        if (deviceId !== identities.hub.deviceId) throw identityNotFound(`${deviceId}/$edgeAgent`);
        await this.applyDeployment(content);
      },
      removeIdentity: (deviceId: string, moduleId: string) => this.#removeIdentity(deviceId, moduleId),
    };
    const api = new ApiServer(certificates, backend, logger);
    this.#cleanups.push(() => api.close());
    const apiPort = await portOfLastRun(this.#options.apiPort, identities.hub.apiPort, (port) => api.listen(port));
    await identities.rememberPorts(mqttPort, apiPort);

    const environment = new ModuleEnvironment({
      stateDir,
      certificates,
      identities,
      mqttPort,
      hosts: this.#options.hosts ?? {},
      logger,
      onLine: (id, stream, line) => {
        this.emit('log', { id, stream, line });
      },
    });
    this.#cleanups.push(() => environment.close());
    const agentName = identityName(identities.hub.deviceId, '$edgeAgent');
    const agent = new EdgeAgent({
      stateDir,
      executor: new ProcessExecutor(resolveImage ?? (() => undefined)),
      timing: { ...DEFAULT_RESTART_TIMING, ...this.#options.restartTiming },
      logger,
      prepare: async (spec) => {
        const { deviceId } = identities.hub;
        if (identities.get(deviceId, spec.moduleId) === undefined) {
          await identities.create({ deviceId, moduleId: spec.moduleId, managedBy: 'IotEdge' });
        }
        return environment.launch(spec);
      },
      removed: async (moduleId) => {
        await environment.forget(moduleId);
        const identity = identities.get(identities.hub.deviceId, moduleId);
        if (identity?.managedBy === 'IotEdge') await this.#removeIdentity(identity.deviceId, moduleId);
      },
      report: (reported) => twins.replaceReported(agentName, reported),
    });
    this.#cleanups.push(() => agent.stop());
    hub.methods.serveLocally(agentName, (name, payload) => agent.method(name, payload));
    this.#forwardEvents(hub, agent, twins, agentName);
    return { certificates, identities, twins, hub, agent, environment, mqttPort, apiPort };
  }

  #forwardEvents(hub: EdgeHub, agent: EdgeAgent, twins: TwinStore, agentName: string): void {
    hub.on('upstream', (message) => this.emit('upstream', message));
    hub.on('client', (name, state) => this.emit('client', name, state));
    hub.on('message', ({ deviceId, moduleId, output, properties, body, twinChange }) => {
      if (twinChange || this.listenerCount('message') === 0) return;
      this.emit('message', { deviceId, moduleId, output, properties, body: body.toString('utf8') });
    });
    agent.on('module', (state) => this.emit('module', moduleEvent(state)));
    twins.on('change', (change) => {
      const { desired, desiredVersion, reported } = twins.get(change.name);
      const [deviceId = '', moduleId = ''] = change.name.split('/');
      this.emit('twin', { ...change, deviceId, moduleId, desired, reported });
      if (change.name === agentName && change.part === 'desired') void agent.apply(desired, desiredVersion);
    });
  }

  async #removeIdentity(deviceId: string, moduleId: string): Promise<void> {
    const { identities, twins, hub } = this.#running;
    for (const name of await identities.remove(deviceId, moduleId)) {
      await hub.forget(name);
      await twins.remove(name);
    }
  }

  async #cleanUp(): Promise<void> {
    const cleanups = this.#cleanups.reverse();
    this.#cleanups = [];
    const errors: unknown[] = [];
    for (const cleanup of cleanups) {
      try {
        await cleanup();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#parts = undefined;
    if (errors.length > 0) throw new AggregateError(errors, 'the edge runtime did not stop cleanly');
  }

  #nameOf(moduleId: string): string {
    const { identities } = this.#running;
    identities.require(identities.hub.deviceId, moduleId);
    return identityName(identities.hub.deviceId, moduleId);
  }

  get #running(): Parts {
    if (this.#parts === undefined) throw notRunning();
    return this.#parts;
  }
}

/** The port that was asked for; else the one of the last run, so that clients find the hub again; else a free one. */
async function portOfLastRun(
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

function moduleEvent({ moduleId, status, description, pid, exitCode, restartCount }: ModuleState): ModuleEvent {
  return { id: moduleId, status, reason: description, pid, exitCode, restartCount };
}

function unwrap(deployment: unknown): unknown {
  if (!isTwinObject(deployment)) return deployment;
  if ('content' in deployment) return unwrap(deployment['content']);
  return deployment['modulesContent'] ?? deployment['moduleContent'] ?? deployment;
}
