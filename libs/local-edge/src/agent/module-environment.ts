import { join } from 'node:path';
import type { Logger } from '@vantage/observability';
import type { Certificates } from '../state/certificates.ts';
import type { IdentityStore } from '../state/identities.ts';
import type { ModuleSpec, RegistryCredential } from './config.ts';
import { envOf } from './create-options.ts';
import type { ModuleLaunch } from './executor.ts';
import { LogFile, logSizes } from './logs/log-file.ts';
import { WorkloadApi } from './workload-api.ts';

export interface ModuleEnvironmentOptions {
  readonly stateDir: string;
  readonly certificates: Certificates;
  readonly identities: IdentityStore;
  readonly mqttPort: number;
  readonly logger: Logger;
  /**
   * Variables that deployments fill with credentials of the device and its storage. Here the device and the storage are
   * this runtime's, so a module whose deployment names one gets this runtime's value, whatever the deployment says.
   */
  readonly ofDevice: () => Readonly<Record<string, string>>;
  /** Where a module finds the certificate of the CA that signed this runtime's servers. */
  readonly caFile: string;
  readonly onLine: (moduleId: string, stream: 'stdout' | 'stderr', line: string) => void;
}

/** What surrounds a module: its workload API, environment variables and log. */
export class ModuleEnvironment {
  readonly #options: ModuleEnvironmentOptions;
  readonly #workloads = new Map<string, WorkloadApi>();
  readonly #logs = new Map<string, LogFile>();

  constructor(options: ModuleEnvironmentOptions) {
    this.#options = options;
  }

  /** The variables edgeAgent gives a module (contract iot-edge-runtime A.3). Its identity must be there. */
  async of(moduleId: string): Promise<Record<string, string>> {
    const { identities, mqttPort } = this.#options;
    const { hub } = identities;
    const identity = identities.require(hub.deviceId, moduleId);
    return {
      IOTEDGE_WORKLOADURI: (await this.#workload(moduleId)).uri,
      IOTEDGE_DEVICEID: hub.deviceId,
      IOTEDGE_MODULEID: moduleId,
      IOTEDGE_IOTHUBHOSTNAME: hub.hubHostName,
      // The SDK takes a port here for MQTT (contract E.2), so that two runtimes fit on one machine.
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${mqttPort}`,
      IOTEDGE_AUTHSCHEME: 'sasToken',
      IOTEDGE_MODULEGENERATIONID: identity.generationId,
      IOTEDGE_APIVERSION: '2018-06-28',
      RuntimeLogLevel: 'Information',
    };
  }

  /** Opens the workload APIs of all known modules: those that run without the agent's doing find theirs again. */
  async open(): Promise<void> {
    const { identities } = this.#options;
    for (const { moduleId } of identities.modules(identities.hub.deviceId)) {
      if (!moduleId.startsWith('$')) await this.#workload(moduleId);
    }
  }

  /** Everything an executor needs to start a module. */
  async launch(spec: ModuleSpec, registryCredentials: readonly RegistryCredential[]): Promise<ModuleLaunch> {
    const { moduleId, image, imagePullPolicy, createOptions } = spec;
    const log = this.#log(moduleId);
    log.resize(logSizes(createOptions));
    return {
      moduleId,
      image,
      imagePullPolicy,
      createOptions,
      registryCredentials,
      env: { ...this.#ofDevice({ ...envOf(createOptions), ...spec.env }), ...(await this.of(moduleId)) },
      workloadSocket: (await this.#workload(moduleId)).path,
      onLine: (stream, line) => {
        log.write(line, stream);
        this.#options.onLine(moduleId, stream, line);
      },
    };
  }

  /** The logs of the modules that run or ran in this deployment, by name. */
  logs(): ReadonlyMap<string, LogFile> {
    return this.#logs;
  }

  /** Resolves when the module's output so far is in its log file. */
  async flushLog(moduleId: string): Promise<void> {
    await this.#logs.get(moduleId)?.flush();
  }

  /** The module is no longer part of the deployment; its log stays. */
  async forget(moduleId: string): Promise<void> {
    const workload = this.#workloads.get(moduleId);
    this.#workloads.delete(moduleId);
    await workload?.close();
    const log = this.#logs.get(moduleId);
    this.#logs.delete(moduleId);
    await log?.close();
  }

  async close(): Promise<void> {
    const moduleIds = new Set([...this.#workloads.keys(), ...this.#logs.keys()]);
    await Promise.all([...moduleIds].map((moduleId) => this.forget(moduleId)));
  }

  #ofDevice(env: Readonly<Record<string, string>>): Record<string, string> {
    const named = Object.entries(this.#options.ofDevice()).filter(([name]) => name in env);
    if (named.length === 0) return { ...env };
    return { VANTAGE_CA_FILE: this.#options.caFile, ...env, ...Object.fromEntries(named) };
  }

  async #workload(moduleId: string): Promise<WorkloadApi> {
    const open = this.#workloads.get(moduleId);
    if (open !== undefined) return open;
    const { stateDir, certificates, identities, logger } = this.#options;
    const workload = await WorkloadApi.open(stateDir, moduleId, certificates.ca, identities, logger);
    this.#workloads.set(moduleId, workload);
    return workload;
  }

  #log(moduleId: string): LogFile {
    const open = this.#logs.get(moduleId);
    if (open !== undefined) return open;
    const log = new LogFile(join(this.#options.stateDir, 'logs', `${moduleId}.log`), this.#options.logger);
    this.#logs.set(moduleId, log);
    return log;
  }
}
