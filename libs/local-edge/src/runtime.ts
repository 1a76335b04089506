import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { isTwinObject, messageOf } from '@vantage/contracts';
import { silentLogger, type Logger } from '@vantage/observability';
import { parseModulesContent } from './agent/deployment.ts';
import type { ModuleState } from './agent/module-supervisor.ts';
import type { EdgeStatus } from './api/control-status.ts';
import { RuntimeControl } from './control.ts';
import { notRunning } from './errors.ts';
import { Faults } from './faults/faults.ts';
import type { ClientState } from './hub/hub-state.ts';
import type { UpstreamMessage } from './hub/message.ts';
import type { MessageTotals } from './hub/message-counts.ts';
import type { MethodCall, MethodResult } from './hub/methods.ts';
import { followUpstream, keptUpstream, type UpstreamReadOptions } from './hub/upstream-reader.ts';
import type { ApplyDeploymentOptions, EdgeRuntimeEvents, EdgeRuntimeOptions, ModuleEvent } from './options.ts';
import type { FileNotification } from './registry/files/uploads.ts';
import type { PolicyName } from './registry/policies.ts';
import { startParts, type Cleanup, type RuntimeHost, type RuntimeParts } from './runtime-parts.ts';
import { identityName } from './state/identities.ts';
import type { Twin } from './twin/store.ts';

/**
 * An IoT Edge runtime and hub on one machine, in this process; modules are its children. Unmodified Azure SDKs meet it:
 * `azure-iot-device` modules through their environment, `azure-iothub` through {@link serviceConnectionString}.
 *
 * `start()` brings up what the state folder holds, modules included; `stop()` ends every module and may be called
 * twice. After `stop()` it can be started again.
 */
export class EdgeRuntime extends EventEmitter<EdgeRuntimeEvents> {
  /** What goes wrong on purpose. Faults stay set over a restart of the runtime in this process. */
  readonly faults = new Faults();
  readonly #options: EdgeRuntimeOptions;
  readonly #logger: Logger;
  readonly #control: RuntimeControl;
  #parts: RuntimeParts | undefined;
  #cleanups: Cleanup[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: EdgeRuntimeOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#control = new RuntimeControl(this, () => this.#running, options.stateDir);
  }

  /** The name of the edge device. */
  get deviceId(): string {
    return this.#running.identities.hub.deviceId;
  }

  /** The ports that are really used. */
  get ports(): { readonly mqtt: number; readonly api: number; readonly metrics?: number } {
    const { mqttPort, apiPort, metricsPort } = this.#running;
    return { mqtt: mqttPort, api: apiPort, ...(metricsPort === undefined ? {} : { metrics: metricsPort }) };
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
    return this.connectionStringOf('iothubowner');
  }

  /** The same for another shared access policy of IoT Hub, which allows less. */
  connectionStringOf(policy: PolicyName): string {
    const { service, apiPort } = this.#running;
    return `HostName=localhost:${apiPort};SharedAccessKeyName=${policy};SharedAccessKey=${service.policies.keyOf(policy)}`;
  }

  /** What devices said about files they uploaded, the oldest first; also events `fileUpload`. */
  fileNotifications(): FileNotification[] {
    return this.#running.service.uploads.notifications();
  }

  /** Resolves when every device has what configurations (deployments at scale) want for it now. */
  configurationsSettled(): Promise<void> {
    return this.#running.service.engine.settled();
  }

  /**
   * @throws VantageError EDGE_STATE_IN_USE when another runtime has the folder, EDGE_PORT_IN_USE
   */
  async start(): Promise<void> {
    if (this.#parts !== undefined) return;
    await this.#stopping;
    try {
      const host: RuntimeHost = {
        logger: this.#logger,
        faults: this.faults,
        control: this.#control,
        applyDeployment: (content) => this.applyDeployment(content),
        logged: (id, stream, line) => {
          this.#tell('log', { id, stream, line });
        },
      };
      this.#parts = await startParts(this.#options, host, this.#cleanups);
      this.#forwardEvents(this.#parts);
    } catch (error) {
      await this.#cleanUp();
      throw error;
    }
    const { agent, hub, twins, identities, environment, service } = this.#parts;
    await environment.open();
    hub.open();
    await agent.start();
    const stored = twins.get(identityName(identities.hub.deviceId, '$edgeAgent'));
    if (Object.keys(stored.desired).length > 0) await agent.apply(stored.desired, stored.desiredVersion);
    service.start();
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

  /** Breaks all MQTT connections and opens the broker's port again; modules go on, and nothing is lost. */
  restartBroker(): Promise<void> {
    return this.#running.hub.restartBroker();
  }

  /**
   * Refuses every token that a client has presented so far, until this runtime stops, and closes their connections.
   * Yields how many those were. Clients come back with a new token.
   */
  expireTokens(): number {
    return this.#running.hub.expireTokens();
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

  /** How it all is: modules, clients, queues, faults. */
  status(): EdgeStatus {
    return this.#control.status();
  }

  /**
   * Messages that left for the cloud: with `since` the kept ones first (by default the last 100 000, or 128 MiB), then
   * the ones that come, each once and in order. Ends with the signal or the runtime.
   */
  upstreamMessages({ since, signal }: UpstreamReadOptions = {}): AsyncGenerator<UpstreamMessage> {
    const { hub } = this.#running;
    const onArrival = (wake: () => void): (() => void) => {
      hub.on('upstream', wake);
      return () => hub.off('upstream', wake);
    };
    const ends = signal === undefined ? hub.ended : AbortSignal.any([signal, hub.ended]);
    return followUpstream(hub.cloud, onArrival, since ?? hub.cloud.lastSequence, ends);
  }

  /** The kept messages that left for the cloud after `since` (default: all of them), up to the newest of now. */
  exportUpstream({ since = 0 }: Pick<UpstreamReadOptions, 'since'> = {}): AsyncGenerator<UpstreamMessage> {
    return keptUpstream(this.#running.hub.cloud, since);
  }

  /** What became of messages since the start, and what waits. */
  messageTotals(): MessageTotals {
    return this.#running.hub.counts.totals();
  }

  /** The hub's metrics under edgeHub's names, as Prometheus reads them. */
  metrics(): Promise<string> {
    return this.#running.hub.counts.registry.metrics();
  }

  /** Ends a module hard, as a crash would. @throws VantageError EDGE_IDENTITY_NOT_FOUND, EDGE_INVALID_ARGUMENT */
  killModule(moduleId: string): void {
    this.#control.killModule(moduleId);
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

  /** Passes events on. What listeners throw is theirs: it must not reach a module's connection. */
  #forwardEvents({ hub, agent, twins, identities, service }: RuntimeParts): void {
    service.uploads.on('fileUpload', (notification) => {
      this.#tell('fileUpload', notification);
    });
    hub.on('upstream', (message) => {
      this.#tell('upstream', message);
    });
    hub.on('client', (name, state) => {
      this.#tell('client', name, state);
    });
    hub.on('message', ({ deviceId, moduleId, output, properties, body, twinChange }) => {
      if (twinChange || this.listenerCount('message') === 0) return;
      this.#tell('message', { deviceId, moduleId, output, properties, body: body.toString('utf8') });
    });
    agent.on('module', (state) => {
      this.#tell('module', moduleEvent(state));
    });
    const agentName = identityName(identities.hub.deviceId, '$edgeAgent');
    twins.on('change', (change) => {
      const { desired, desiredVersion, reported } = twins.get(change.name);
      if (change.name === agentName && change.part === 'desired') void agent.apply(desired, desiredVersion);
      const [deviceId = '', moduleId = ''] = change.name.split('/');
      this.#tell('twin', { ...change, deviceId, moduleId, desired, reported });
    });
  }

  #tell<Name extends keyof EdgeRuntimeEvents>(name: Name, ...event: EdgeRuntimeEvents[Name]): void {
    try {
      (this as EventEmitter).emit(name, ...event);
    } catch (error) {
      this.#logger.error('a listener of the runtime threw', { event: name, error: messageOf(error) });
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

  get #running(): RuntimeParts {
    if (this.#parts === undefined) throw notRunning();
    return this.#parts;
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
