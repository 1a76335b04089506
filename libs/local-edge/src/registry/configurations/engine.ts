import { createHash } from 'node:crypto';
import { mergeTwin, messageOf, twinEquals, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { identityName, type Identity, type IdentityStore } from '../../state/identities.ts';
import type { TwinChange, TwinStore } from '../../twin/store.ts';
import type { ConfigurationStatus, HubDocuments } from '../documents.ts';
import { matches } from '../query/evaluate.ts';
import { mergeLayers, mergeSettings } from './layers.ts';
import type { ConfigurationStore } from './store.ts';
import type { Configuration, ConfigurationKind, Target } from './types.ts';
import { readTarget } from './validate.ts';

export interface EngineParts {
  readonly store: ConfigurationStore;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly documents: HubDocuments;
  readonly logger: Logger;
  /** Gives an edge device its modules, as `applyConfigurationContent` does. */
  applyDeployment(deviceId: string, modulesContent: TwinObject): Promise<void>;
}

interface Known {
  readonly configuration: Configuration;
  readonly target: Target;
}

/** How long changes are gathered before devices are looked at again; keeps a fleet that reports at once cheap. */
const GATHER_MS = 50;

/**
 * Keeps every device in line with the configurations that are meant for it. Looks again at a device when its twin or
 * tags change, and at all of them when a configuration does. One device at a time, so that an edge device never gets
 * two deployments at once.
 */
export class ConfigurationEngine {
  readonly #parts: EngineParts;
  /** Devices to look at; a set, so it never holds more than there are devices. */
  readonly #dirty = new Set<string>();
  /** Hash of the merged content that a device could not be given: it is not tried again and again. */
  readonly #refused = new Map<string, string>();
  #known: readonly Known[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#parts.twins.on('change', this.#onTwinChange);
    this.touchAll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#parts.twins.off('change', this.#onTwinChange);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty.clear();
    await this.#running;
  }

  /** A device, its tags or one of its modules has changed. */
  touch(deviceId: string): void {
    if (this.#stopped || this.#known.length === 0) return;
    this.#dirty.add(deviceId);
    this.#schedule();
  }

  /** Configurations have changed. */
  touchAll(): void {
    const before = this.#known.length;
    this.#known = this.#parts.store
      .all()
      .map((configuration) => ({ configuration, target: readTarget(configuration) }));
    // What the last configuration left behind in the status of devices has to go, too.
    if (before === 0 && this.#known.length === 0) return;
    for (const { deviceId } of this.#parts.identities.devices()) this.#dirty.add(deviceId);
    this.#schedule();
  }

  /** A service has set the modules of a device itself: that stays until other configurations are meant for it. */
  async individual(deviceId: string): Promise<void> {
    const assignment = this.#parts.store.assignment(deviceId);
    if (assignment.appliedHash === '') return;
    const status = Object.fromEntries(
      Object.keys(assignment.status).map((id) => [id, { status: 'Targeted' as const }]),
    );
    await this.#parts.store.assign(deviceId, { ...assignment, status, individual: true });
  }

  /** Resolves when nothing is left to be looked at. */
  async settled(): Promise<void> {
    while (this.#timer !== undefined || this.#running !== undefined) {
      clearTimeout(this.#timer);
      await this.#run();
    }
  }

  readonly #onTwinChange = ({ name }: TwinChange): void => {
    this.touch(name.split('/')[0] ?? name);
  };

  #schedule(): void {
    if (this.#stopped || this.#running !== undefined) return;
    this.#timer ??= setTimeout(() => void this.#run(), GATHER_MS);
  }

  #run(): Promise<void> {
    this.#timer = undefined;
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#dirty.size > 0) this.#schedule();
    });
    return this.#running;
  }

  async #drain(): Promise<void> {
    for (const deviceId of this.#dirty) {
      if (this.#stopped) return;
      this.#dirty.delete(deviceId);
      try {
        await this.#look(deviceId);
      } catch (error) {
        this.#parts.logger.warn('the configurations of a device could not be applied', {
          deviceId,
          error: messageOf(error),
        });
      }
    }
  }

  async #look(deviceId: string): Promise<void> {
    const { identities, documents, store } = this.#parts;
    const device = identities.get(deviceId);
    if (device === undefined) {
      this.#refused.delete(deviceId);
      await store.forget(deviceId, '');
      return;
    }
    const document = documents.twin(device);
    const edge = device.edgeEnabled ? this.#targeting('edge', document) : [];
    const status = await this.#applyTwin(device, this.#targeting('device', document));
    await this.#applyEdge(deviceId, edge, status);
    const anyForModules = this.#known.some(({ target }) => target.kind === 'module');
    for (const module of identities.modules(deviceId)) {
      const targeting = anyForModules ? this.#targeting('module', documents.twin(module)) : [];
      const name = identityName(deviceId, module.moduleId);
      await store.assign(name, { ...store.assignment(name), status: await this.#applyTwin(module, targeting) });
    }
  }

  #targeting(kind: ConfigurationKind, document: object): Configuration[] {
    return this.#known
      .filter(({ target }) => target.kind === kind && !target.none)
      .filter(({ target }) => target.condition === undefined || matches(target.condition, document))
      .map(({ configuration }) => configuration);
  }

  async #applyTwin(identity: Identity, targeting: readonly Configuration[]): Promise<ConfigurationStatus> {
    if (targeting.length === 0) return {};
    const { twins } = this.#parts;
    const name = identityName(identity.deviceId, identity.moduleId);
    const { applied, patch } = mergeSettings(targeting);
    const { desired } = twins.get(name);
    if (!twinEquals(mergeTwin(desired, patch), desired)) await twins.patch(name, { desired: patch });
    return statusOf(targeting, applied);
  }

  async #applyEdge(deviceId: string, targeting: readonly Configuration[], others: ConfigurationStatus): Promise<void> {
    const { store } = this.#parts;
    const { applied, modulesContent } = mergeLayers(targeting);
    const before = store.assignment(deviceId);
    const hash = modulesContent === undefined ? '' : hashOf(modulesContent);
    if (hash === before.appliedHash) {
      const status = { ...others, ...statusOf(targeting, before.individual ? [] : applied) };
      await store.assign(deviceId, { ...before, status });
      return;
    }
    await store.assign(deviceId, { ...before, status: { ...others, ...statusOf(targeting, []) } });
    if (this.#refused.get(deviceId) === hash) return;
    // When nothing is meant for it any more, a device keeps its modules.
    if (modulesContent !== undefined) {
      this.#refused.set(deviceId, hash);
      await this.#parts.applyDeployment(deviceId, modulesContent);
    }
    this.#refused.delete(deviceId);
    const status = { ...others, ...statusOf(targeting, applied) };
    await store.assign(deviceId, { status, appliedHash: hash, individual: false });
  }
}

function statusOf(targeting: readonly Configuration[], applied: readonly Configuration[]): ConfigurationStatus {
  return Object.fromEntries(
    targeting.map((one) => [one.id, { status: applied.includes(one) ? ('Applied' as const) : ('Targeted' as const) }]),
  );
}

function hashOf(content: TwinObject): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
}
