import type { TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { invalidArgument } from '../errors.ts';
import type { HubAccess } from '../hub/access.ts';
import type { ClientState } from '../hub/hub-state.ts';
import type { MethodCall, MethodResult } from '../hub/methods.ts';
import type { StateDatabase } from '../state/database.ts';
import { identityName, type Identity, type IdentityStore } from '../state/identities.ts';
import type { TwinStore, TwinUpdate } from '../twin/store.ts';
import { applyModules } from './configurations/apply.ts';
import { ConfigurationEngine } from './configurations/engine.ts';
import { ConfigurationStore } from './configurations/store.ts';
import { HubDocuments, type ConfigurationStatus } from './documents.ts';
import type { BlobStorage } from './files/storage.ts';
import { FileUploads } from './files/uploads.ts';
import { IdentityDetails } from './identity-details.ts';
import { JobRunner } from './jobs/runner.ts';
import { JobStore } from './jobs/store.ts';
import { ServicePolicies } from './policies.ts';

export interface HubServiceParts {
  readonly access: HubAccess;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly database: StateDatabase;
  readonly logger: Logger;
  /** The hub's clock, ms since 1970. */
  readonly now: () => number;
  /** Where devices upload files to. */
  readonly storage: BlobStorage | undefined;
  clientState(name: string): ClientState | undefined;
  invokeMethod(name: string, call: MethodCall): Promise<MethodResult>;
  /** Applies the `modulesContent` of a deployment to the runtime's own edge device. */
  applyDeployment(modulesContent: unknown): Promise<void>;
  /** Removes a device with its modules, or a module, with twins and sessions. */
  removeIdentity(deviceId: string, moduleId: string): Promise<void>;
}

/** A device or module as a service wants it; keys that are missing or empty are made. */
export type WantedIdentity = Partial<Identity> & { readonly deviceId: string; readonly moduleId: string };

/**
 * What services do with a hub, whatever the protocol: identities, twins, deployments, queries, configurations, jobs and
 * file uploads. Changes that services make go through it, so that configurations and jobs hear of them.
 */
export class HubService {
  readonly access: HubAccess;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly policies: ServicePolicies;
  readonly documents: HubDocuments;
  readonly configurations: ConfigurationStore;
  readonly engine: ConfigurationEngine;
  readonly jobs: JobStore;
  readonly jobRunner: JobRunner;
  readonly uploads: FileUploads;
  /** The hub's clock, ms since 1970. */
  readonly now: () => number;
  readonly #parts: HubServiceParts;
  readonly #details: IdentityDetails;

  constructor(parts: HubServiceParts) {
    const { access, identities, twins, database, logger, now } = parts;
    this.#parts = parts;
    this.access = access;
    this.identities = identities;
    this.twins = twins;
    this.now = now;
    const checkHost = access.checkHost.bind(access);
    this.policies = new ServicePolicies({ database, ownerKey: identities.hub.serviceKey, now, checkHost });
    this.#details = new IdentityDetails(database);
    this.configurations = new ConfigurationStore(database);
    this.documents = new HubDocuments({
      identities,
      twins,
      details: this.#details,
      clientState: (name) => parts.clientState(name),
      configurationsOf: (name) => this.#configurationsOf(name),
    });
    this.engine = new ConfigurationEngine({
      store: this.configurations,
      identities,
      twins,
      documents: this.documents,
      logger,
      applyDeployment: (deviceId, content) => this.#apply(deviceId, content),
    });
    this.jobs = new JobStore(database);
    this.jobRunner = new JobRunner({
      store: this.jobs,
      logger,
      now,
      devices: () => this.documents.twins('devices'),
      updateTwin: async (deviceId, update) => {
        await this.changeTwin(identities.require(deviceId), update, 'merge');
      },
      invokeMethod: (deviceId, call) => parts.invokeMethod(deviceId, call),
    });
    this.uploads = new FileUploads(database, parts.storage, now);
  }

  /** Loads what is kept. */
  async open(): Promise<void> {
    await this.policies.open();
    this.#details.open();
    this.configurations.open();
    this.jobs.open();
    this.uploads.open();
  }

  /** Begins to apply configurations and to run jobs. */
  start(): void {
    this.engine.start();
    this.jobRunner.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.engine.stop(), this.jobRunner.stop()]);
  }

  /** @throws VantageError EDGE_IDENTITY_EXISTS, EDGE_IDENTITY_NOT_FOUND, EDGE_INVALID_ARGUMENT */
  async createIdentity(wanted: WantedIdentity, body: TwinObject): Promise<Identity> {
    const identity = await this.identities.create(wanted);
    await this.#changed(identity, body);
    return identity;
  }

  /** @throws VantageError EDGE_IDENTITY_NOT_FOUND */
  async updateIdentity(wanted: WantedIdentity, body: TwinObject): Promise<Identity> {
    const { deviceId } = this.identities.hub;
    if (wanted.deviceId === deviceId && wanted.moduleId === '' && wanted.edgeEnabled === false) {
      throw invalidArgument(`"${deviceId}" is the edge device of this runtime and stays one`);
    }
    const identity = await this.identities.update(wanted);
    await this.#changed(identity, body);
    return identity;
  }

  /** @throws VantageError EDGE_IDENTITY_NOT_FOUND, EDGE_INVALID_ARGUMENT for what the runtime itself lives on */
  async removeIdentity(deviceId: string, moduleId: string): Promise<void> {
    const identity = this.identities.require(deviceId, moduleId);
    if (deviceId === this.identities.hub.deviceId && moduleId === '') {
      throw invalidArgument(`"${deviceId}" is the edge device of this runtime and cannot be removed`);
    }
    const ofEdge = this.identities.get(deviceId)?.edgeEnabled === true;
    if (ofEdge && (moduleId === '$edgeAgent' || moduleId === '$edgeHub')) {
      throw invalidArgument(`${identity.moduleId} is a system module of an edge device and cannot be removed`);
    }
    await this.#parts.removeIdentity(deviceId, moduleId);
    await this.#details.remove(deviceId, moduleId);
    await this.configurations.forget(deviceId, moduleId);
    this.engine.touch(deviceId);
  }

  /** @throws VantageError EDGE_ETAG_MISMATCH, EDGE_TWIN_PATCH_INVALID */
  async changeTwin(identity: Identity, update: TwinUpdate, how: 'merge' | 'replace', etag?: string): Promise<void> {
    const name = identityName(identity.deviceId, identity.moduleId);
    if (how === 'replace') await this.twins.replace(name, update, etag);
    else await this.twins.patch(name, update, etag);
    this.engine.touch(identity.deviceId);
  }

  /**
   * Sets the modules of one edge device. Automatic deployments do not add to that: it stays until another one is meant
   * for the device.
   * @throws VantageError EDGE_DEPLOYMENT_INVALID, EDGE_INVALID_ARGUMENT when it is no edge device
   */
  async setModules(deviceId: string, modulesContent: unknown): Promise<void> {
    const device = this.identities.require(deviceId);
    if (!device.edgeEnabled) throw invalidArgument(`"${deviceId}" is not an edge device`);
    await this.#apply(deviceId, modulesContent);
    await this.engine.individual(deviceId);
  }

  invokeMethod(name: string, call: MethodCall): Promise<MethodResult> {
    return this.#parts.invokeMethod(name, call);
  }

  clientState(name: string): ClientState | undefined {
    return this.#parts.clientState(name);
  }

  async #apply(deviceId: string, modulesContent: unknown): Promise<void> {
    if (deviceId === this.identities.hub.deviceId) await this.#parts.applyDeployment(modulesContent);
    else await applyModules(this.#parts, deviceId, modulesContent);
  }

  async #changed(identity: Identity, body: TwinObject): Promise<void> {
    const { deviceId, moduleId } = identity;
    await this.#details.set(identityName(deviceId, moduleId), body);
    if (moduleId === '' && identity.edgeEnabled) {
      const missing = ['$edgeAgent', '$edgeHub'].filter((id) => this.identities.get(deviceId, id) === undefined);
      for (const id of missing) await this.identities.create({ deviceId, moduleId: id, managedBy: 'IotEdge' });
    }
    this.engine.touch(deviceId);
  }

  /** A deployment is the business of the device and of its agent alike. */
  #configurationsOf(name: string): ConfigurationStatus {
    const own = this.configurations.assignment(name).status;
    if (!name.endsWith('/$edgeAgent')) return own;
    const device = this.configurations.assignment(name.slice(0, -'/$edgeAgent'.length)).status;
    return { ...device, ...own };
  }
}
