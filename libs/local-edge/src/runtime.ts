import { EventEmitter } from 'node:events';
import { silentLogger, type Logger } from '@vantage/observability';
import { WorkloadApi } from './agent/workload-api.ts';
import { notRunning } from './errors.ts';
import { EdgeHub, type ClientState } from './hub/edge-hub.ts';
import type { UpstreamMessage } from './hub/message.ts';
import type { MethodCall, MethodResult } from './hub/methods.ts';
import { loadCertificates, type Certificates } from './state/certificates.ts';
import { identityName, IdentityStore } from './state/identities.ts';
import { lockStateFolder, type StateLock } from './state/lock.ts';
import { TwinStore, type Twin, type TwinChange } from './twin/store.ts';

export interface EdgeRuntimeOptions {
  /** Folder of everything the runtime keeps. Made when missing; used by one runtime at a time. */
  readonly stateDir: string;
  /** Name of the edge device. Default: the one of the state folder, else `vantage-edge`. */
  readonly deviceId?: string;
  /** Name of the hub in tokens and user names. Default: the one of the state folder, else `vantage-hub.local`. */
  readonly hubHostName?: string;
  /** Port of the MQTT broker; 0 or absent: the one of the last run when it is free, else any free one. */
  readonly mqttPort?: number;
  readonly logger?: Logger;
}

interface RuntimeEvents {
  upstream: [UpstreamMessage];
  twin: [TwinChange];
  client: [string, ClientState];
}

interface Parts {
  readonly lock: StateLock;
  readonly certificates: Certificates;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly hub: EdgeHub;
  readonly mqttPort: number;
}

/** An IoT Edge runtime and hub on one machine. */
export class EdgeRuntime extends EventEmitter<RuntimeEvents> {
  readonly #options: EdgeRuntimeOptions;
  readonly #logger: Logger;
  readonly #workloads = new Map<string, WorkloadApi>();
  #parts: Parts | undefined;

  constructor(options: EdgeRuntimeOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  get ports(): { readonly mqtt: number } {
    return { mqtt: this.#running.mqttPort };
  }

  async start(): Promise<void> {
    const { stateDir } = this.#options;
    const logger = this.#logger;
    const lock = await lockStateFolder(stateDir);
    const certificates = await loadCertificates(stateDir);
    const identities = new IdentityStore(stateDir, logger);
    await identities.open(this.#options);
    const twins = new TwinStore(stateDir, logger);
    await twins.open();
    const hub = new EdgeHub({ stateDir, certificates, identities, twins, logger });
    const mqttPort = await hub.start(this.#options.mqttPort ?? 0);
    hub.on('upstream', (message) => this.emit('upstream', message));
    hub.on('client', (name, state) => this.emit('client', name, state));
    twins.on('change', (change) => this.emit('twin', change));
    this.#parts = { lock, certificates, identities, twins, hub, mqttPort };
    hub.open();
  }

  async stop(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    this.#parts = undefined;
    await parts.hub.stop();
    for (const workload of this.#workloads.values()) await workload.close();
    this.#workloads.clear();
    await parts.twins.close();
    await parts.identities.close();
    await parts.lock.release();
  }

  twin(moduleId: string): Twin {
    const { twins, identities } = this.#running;
    return twins.get(identityName(identities.hub.deviceId, moduleId));
  }

  async patchDesired(moduleId: string, patch: Record<string, unknown>): Promise<Twin> {
    const { twins, identities } = this.#running;
    return twins.patch(identityName(identities.hub.deviceId, moduleId), { desired: patch });
  }

  invokeMethod(moduleId: string, call: MethodCall): Promise<MethodResult> {
    const { hub, identities } = this.#running;
    return hub.methods.invoke(identityName(identities.hub.deviceId, moduleId), call);
  }

  /**
   * The environment in which `ModuleClient.fromEnvironment` reaches this runtime (contract iot-edge-runtime A.3). For a
   * module that is started by hand, in a debugger for instance; it is made when there is none.
   */
  async moduleEnvironment(moduleId: string): Promise<Record<string, string>> {
    const { certificates, identities, mqttPort } = this.#running;
    const { hub } = identities;
    const identity =
      identities.get(hub.deviceId, moduleId) ?? (await identities.create({ deviceId: hub.deviceId, moduleId }));
    const { stateDir } = this.#options;
    let workload = this.#workloads.get(moduleId);
    if (workload === undefined) {
      workload = await WorkloadApi.open(stateDir, moduleId, certificates.ca, identities, this.#logger);
      this.#workloads.set(moduleId, workload);
    }
    return {
      IOTEDGE_WORKLOADURI: workload.uri,
      IOTEDGE_DEVICEID: hub.deviceId,
      IOTEDGE_MODULEID: moduleId,
      IOTEDGE_IOTHUBHOSTNAME: hub.hubHostName,
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${mqttPort}`,
      IOTEDGE_AUTHSCHEME: 'sasToken',
      IOTEDGE_MODULEGENERATIONID: identity.generationId,
      IOTEDGE_APIVERSION: '2018-06-28',
      RuntimeLogLevel: 'Information',
    };
  }

  get #running(): Parts {
    if (this.#parts === undefined) throw notRunning();
    return this.#parts;
  }
}
