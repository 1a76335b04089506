import path from 'node:path';
import { isObject, messageOf, type ConfigIssue } from '@vantage/contracts';
import { KeptDocument, type EdgeModuleApi } from '@vantage/edge-client';
import { ModelStore } from '@vantage/model-store';
import type { Health, Metrics, RootLogger } from '@vantage/observability';
import type { HostSettings } from './settings.ts';
import { HostReporter } from './host-reporter.ts';
import { HostedNode } from './supervisor/hosted-node.ts';
import type { NodeStatus } from './supervisor/status.ts';
import { readHostTwin } from './twin/read-twin.ts';

const MIB = 1024 * 1024;

/** Code is small beside models; what a zip brings in packages may be many files. */
const PACKAGE_LIMITS = {
  downloadBytes: 512 * MIB,
  unpackedBytes: 2048 * MIB,
  entries: 50_000,
  // More than there may be nodes: a package in use is never the one unused for longest.
  cachedPackages: 64,
} as const;

export interface CustomNodeHostOptions {
  readonly edge: EdgeModuleApi;
  readonly settings: HostSettings;
  readonly logger: RootLogger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/**
 * The policy of the module: the twin's nodes, each on its own. A node that is wrong in the twin is reported and what ran
 * under its name goes on; a change applies to the nodes it names. The last good nodes are kept, so that a start without a
 * network has them.
 */
export class CustomNodeHost {
  readonly #options: CustomNodeHostOptions;
  readonly #store: ModelStore;
  readonly #lastGood: KeptDocument<Readonly<Record<string, unknown>>>;
  readonly #nodes = new Map<string, HostedNode>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #reporter: HostReporter;
  #isStopped = false;

  constructor(options: CustomNodeHostOptions) {
    this.#options = options;
    const { settings, logger, edge } = options;
    const root = path.join(settings.stateFolder, 'nodes');
    this.#store = new ModelStore({ root, logger, limits: PACKAGE_LIMITS });
    this.#lastGood = new KeptDocument(path.join(settings.stateFolder, 'custom-node-host.last-good.json'), (saved) =>
      isObject(saved) && isObject(saved['nodes']) ? saved['nodes'] : undefined,
    );
    this.#reporter = new HostReporter({ edge, host: settings.host, status: () => this.status(), logger });
  }

  async start(): Promise<void> {
    const { logger, edge } = this.#options;
    try {
      const remembered = await this.#lastGood.read();
      if (remembered !== undefined) this.#apply({ nodes: remembered });
    } catch (error) {
      logger.warn(`the last good nodes cannot be read: ${messageOf(error)}`, { error });
    }
    edge.onDesired((desired, { version }) => this.#onDesired(desired, version));
    this.#reporter.start();
  }

  /** How the nodes are, in the order of their names. */
  status(): NodeStatus[] {
    return [...this.#nodes.values()].map((node) => node.status).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Settles when no node is being started; tries that come later are not waited for. */
  async settled(): Promise<void> {
    await Promise.all([...[...this.#nodes.values()].map((node) => node.settled()), ...this.#leaving]);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#reporter.stop();
    await Promise.all([...[...this.#nodes.values()].map((node) => node.stop()), ...this.#leaving]);
  }

  async #onDesired(desired: unknown, version: number | undefined): Promise<void> {
    const { logger } = this.#options;
    const twin = this.#apply(desired);
    for (const issue of twin.errors) logger.error(lineOf(issue));
    for (const issue of twin.warnings) logger.warn(lineOf(issue));
    this.#reporter.configured(version ?? null, twin.errors, twin.warnings);
    try {
      await this.#keep(desired, twin.named);
    } catch (error) {
      logger.error(`the nodes cannot be saved: ${messageOf(error)}. Check the state folder.`, { error });
    }
  }

  #apply(desired: unknown): ReturnType<typeof readHostTwin> {
    const twin = readHostTwin(desired);
    if (this.#isStopped) return twin;
    if (twin.logLevel !== undefined) this.#options.logger.setLevel(twin.logLevel);
    for (const [name, node] of this.#nodes) if (!twin.named.has(name)) this.#remove(name, node);
    for (const definition of twin.nodes) this.#nodeOf(definition.name).apply(definition);
    this.#changed();
    return twin;
  }

  #nodeOf(name: string): HostedNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { settings, logger, metrics } = this.#options;
    const { host, root } = settings;
    const onChange = (): void => this.#changed();
    const node = new HostedNode({ name, host, root, store: this.#store, logger, metrics, onChange });
    this.#nodes.set(name, node);
    return node;
  }

  #remove(name: string, node: HostedNode): void {
    this.#nodes.delete(name);
    this.#options.health.remove(checkOf(name));
    this.#options.logger.info(`node ${name} is removed`);
    const leaving = node.stop().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  /** What was good of the nodes that are named: a bad edit does not take the place of what ran. */
  async #keep(desired: unknown, named: ReadonlySet<string>): Promise<void> {
    const items = isObject(desired) && isObject(desired['nodes']) ? desired['nodes'] : {};
    const before = (await this.#lastGood.read()) ?? {};
    const good = new Set(readHostTwin(desired).nodes.map(({ name }) => name));
    const kept = [...named].flatMap((name): [string, unknown][] => {
      const item = good.has(name) ? items[name] : before[name];
      return item === undefined ? [] : [[name, item]];
    });
    await this.#lastGood.write({ nodes: Object.fromEntries(kept) });
  }

  #changed(): void {
    const { health } = this.#options;
    for (const { name, state, error } of this.status()) {
      if (state === 'stopped') continue;
      health.set(checkOf(name), state === 'running', state === 'running' ? undefined : (error?.message ?? state));
    }
    this.#reporter.reportSoon();
  }
}

function checkOf(name: string): string {
  return `node ${name}`;
}

function lineOf({ path: where, message }: ConfigIssue): string {
  return where === '' ? message : `${where}: ${message}`;
}
