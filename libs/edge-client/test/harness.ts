import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { createLogger } from '@vantage/observability';
import { EdgeModule, type EdgeModuleOptions, type EdgeStatus } from '../src/index.ts';
import { makeCertificate, TestHub } from './test-hub.ts';

export interface Harness {
  hub: TestHub;
  /** Lines the modules logged. */
  lines: string[];
  /** A module that is connecting; closed after the test. */
  start(options?: Partial<EdgeModuleOptions>): EdgeModule;
  connect(options?: Partial<EdgeModuleOptions>): Promise<EdgeModule>;
}

/** A fresh started hub per test, and modules that end with it. */
export function useHub(): Harness {
  const modules: EdgeModule[] = [];
  let certificate: { cert: string; key: string };
  const harness = { lines: [] as string[] } as Harness;
  beforeAll(async () => {
    certificate = await makeCertificate();
  });
  beforeEach(async () => {
    harness.lines.length = 0;
    harness.hub = new TestHub(certificate);
    await harness.hub.start();
  });
  afterEach(async () => {
    for (const module of modules.splice(0)) await module.close();
    await harness.hub.stop();
  });
  afterAll(() => undefined);
  harness.start = (options = {}) => {
    const destination = { write: (line: string) => void harness.lines.push(line) };
    const module = new EdgeModule({
      logger: createLogger({ module: 'test', level: 'debug', destination }),
      env: harness.hub.env(),
      backoff: { baseMs: 10, capMs: 50, seed: 1 },
      coalesceMs: 1,
      drainMs: 500,
      requestTimeoutMs: 2000,
      ...options,
    });
    modules.push(module);
    module.start();
    return module;
  };
  harness.connect = async (options) => {
    const module = harness.start(options);
    await module.ready();
    return module;
  };
  return harness;
}

/** Resolves with the first desired state that satisfies the condition. */
export async function desiredWhere(
  module: EdgeModule,
  condition: (desired: TwinObject) => boolean,
): Promise<TwinObject> {
  return new Promise((resolve) => {
    const off = module.onDesired((desired) => {
      if (!condition(desired)) return;
      off();
      resolve(desired);
    });
  });
}

export async function statusWhere(module: EdgeModule, condition: (status: EdgeStatus) => boolean): Promise<EdgeStatus> {
  if (condition(module.status)) return module.status;
  return new Promise((resolve) => {
    const off = module.onStatus((status) => {
      if (!condition(status)) return;
      off();
      resolve(status);
    });
  });
}

/** Waits for the n-th next event of the hub and gives its first argument. */
export async function nth(hub: TestHub, event: 'event' | 'reported' | 'get' | 'connect', count = 1): Promise<unknown> {
  let value: unknown;
  for (let seen = 0; seen < count; seen += 1) [value] = (await once(hub, event)) as [unknown];
  return value;
}
