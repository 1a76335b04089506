import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect } from '@jest/globals';
import { CustomNodeClient, NO_INSIGHTS, timeFromMs, type ClientFrame, type NodeInsights } from '@vantage/custom-node';
import { ModelStore } from '@vantage/model-store';
import { createLogger, Metrics } from '@vantage/observability';
import { HostedNode, NODE_DEFAULTS, type NodeDefinition, type NodeStatus } from '../src/index.ts';
import { pythonRuntime } from '../src/supervisor/runtime.ts';

/** `describe`, or a skipped one that says why. */
export const describeWithPython = await pythonRuntime().then(
  () => describe,
  (error: Error) => (process.stderr.write(`skipped: ${error.message}\n`), describe.skip),
);

/** A frame of 2 x 2 pixels, or of the given ones. */
export function frameOf(facts: Partial<ClientFrame> = {}): ClientFrame {
  return {
    frameId: '1',
    timestamp: timeFromMs(1_700_000_000_000),
    datetime: '2023-11-14T22:13:20+00:00',
    width: 2,
    height: 2,
    colorFormat: 'BGR',
    insights: NO_INSIGHTS,
    pixels: Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ...facts,
  };
}

export function insightsOf(objects: NodeInsights['objects']): NodeInsights {
  return { ...NO_INSIGHTS, objects };
}

export interface Bench {
  readonly log: string[];
  /** Resolves when a line like that is there. */
  logged(line: RegExp): Promise<void>;
  readonly metrics: Metrics;
  readonly store: ModelStore;
  /** A new folder with these files. */
  folder(files: Readonly<Record<string, string>>): string;
  /** A node that is stopped after the test. */
  node(definition: Partial<NodeDefinition>): BenchNode;
  /** A client that is stopped after the test; resolves when its first handshake is over, well or not. */
  client(port: number, options?: Partial<ConstructorParameters<typeof CustomNodeClient>[0]>): Promise<CustomNodeClient>;
}

export interface BenchNode {
  readonly hosted: HostedNode;
  change(definition: Partial<NodeDefinition>): void;
  /** Resolves when the status is such; rejects with the status when it is not within 60 s. */
  until(isSo: (status: NodeStatus) => boolean): Promise<NodeStatus>;
  running(): Promise<NodeStatus>;
}

/** Folders, nodes and clients that go away after each test. */
export function createBench(): Bench {
  const log: string[] = [];
  const readers = new Set<() => void>();
  const folders: string[] = [];
  const stops: (() => Promise<void>)[] = [];
  const metrics = new Metrics();
  const logger = createLogger({
    module: 'test',
    level: 'debug',
    destination: {
      write: (line) => {
        log.push(line);
        for (const look of readers) look();
      },
    },
  });
  const folder = (files: Readonly<Record<string, string>>): string => {
    const created = mkdtempSync(path.join(tmpdir(), 'vantage-node-'));
    folders.push(created);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(created, name)), { recursive: true });
      writeFileSync(path.join(created, name), text);
    }
    return created;
  };
  const store = new ModelStore({ root: path.join(folder({}), 'store'), logger, limits: { tries: 1 } });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    for (const one of folders.splice(0)) rmSync(one, { recursive: true, force: true });
    log.length = 0;
  });
  return {
    log,
    async logged(line) {
      const said = new Promise<void>((resolve) => {
        const look = (): void => void (line.test(log.join('')) && resolve());
        readers.add(look);
        look();
      });
      const over = new AbortController();
      await Promise.race([said, after(20_000, undefined, { signal: over.signal })]);
      over.abort();
      readers.clear();
      expect(log.join('')).toMatch(line);
    },
    metrics,
    store,
    folder,
    node(definition) {
      const waiting = new Set<() => void>();
      let wanted: NodeDefinition = {
        ...NODE_DEFAULTS,
        name: 'mine',
        source: { kind: 'builtin', builtin: 'flip' },
        port: 0,
        settings: {},
        env: {},
        ...definition,
      };
      const hosted = new HostedNode({
        name: wanted.name,
        host: '127.0.0.1',
        root: folder({}),
        store,
        logger,
        metrics,
        onChange: () => waiting.forEach((look) => look()),
      });
      stops.push(() => hosted.stop());
      hosted.apply(wanted);
      const until: BenchNode['until'] = (isSo) =>
        new Promise((resolve, reject) => {
          // Counts change without a word.
          const counts = setInterval(() => look(), 20);
          const timer = setTimeout(() => {
            clearInterval(counts);
            waiting.delete(look);
            reject(new Error(`not so within 60 s: ${JSON.stringify(hosted.status)}\n${log.join('')}`));
          }, 60_000);
          const look = (): void => {
            if (!isSo(hosted.status)) return;
            clearTimeout(timer);
            clearInterval(counts);
            waiting.delete(look);
            resolve(hosted.status);
          };
          waiting.add(look);
          look();
        });
      return {
        hosted,
        change: (part) => hosted.apply((wanted = { ...wanted, ...part })),
        until,
        running: () => until(({ state }) => state === 'running'),
      };
    },
    async client(port, options = {}) {
      const client = new CustomNodeClient({
        endpoint: `127.0.0.1:${port}`,
        ids: { instance: 'i', skill: 's', device: 'cam' },
        backoff: { baseMs: 20, capMs: 200, jitter: 0 },
        ...options,
        onStatus: (status) => {
          options.onStatus?.(status);
          if (status.state !== 'connecting' || status.error !== undefined) ready();
        },
      });
      let ready: () => void = () => undefined;
      const isReady = new Promise<void>((resolve) => (ready = resolve));
      stops.push(() => client.stop());
      client.start();
      await isReady;
      return client;
    },
  };
}

/** A dead process that nobody has asked about yet is gone as well. */
export function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the system has taken the process away. */
export async function expectGone(pid: number): Promise<void> {
  const until = performance.now() + 15_000;
  while (isThere(pid) && performance.now() < until) await after(10);
  expect(isThere(pid)).toBe(false);
}
