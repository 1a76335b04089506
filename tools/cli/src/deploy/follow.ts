import { setTimeout as after } from 'node:timers/promises';
import { isObject } from '@vantage/contracts';
import type { Hub, Twin } from '@vantage/hub';
import { progressOf, type DeploymentProgress } from './progress.ts';

const ASK_EVERY_MS = 1000;
/** A module that ends at once runs for a moment, too. */
const STEADY_MS = 3000;

/**
 * Asks until the device runs what it was told, or says that it cannot.
 *
 * @param onProgress called whenever something has changed
 * @returns how it was in the end; `waiting` when the time was over
 */
export async function follow(
  hub: Hub,
  timeoutMs: number,
  signal: AbortSignal,
  onProgress: (progress: DeploymentProgress) => void,
): Promise<DeploymentProgress> {
  const deadlineMs = performance.now() + timeoutMs;
  let last = '';
  let wellSinceMs: number | undefined;
  for (;;) {
    const { progress } = await look(hub);
    const text = JSON.stringify(progress);
    if (text !== last) onProgress(progress);
    last = text;
    const nowMs = performance.now();
    wellSinceMs = progress.state === 'well' ? (wellSinceMs ?? nowMs) : undefined;
    const isSteady = wellSinceMs !== undefined && nowMs - wellSinceMs >= STEADY_MS;
    if (progress.state === 'failed' || isSteady || nowMs >= deadlineMs || signal.aborted) return progress;
    await after(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What a device and the twins of its modules say at this moment. */
export async function look(
  hub: Hub,
): Promise<{ readonly agent: Twin; readonly edgeHub: Twin; readonly progress: DeploymentProgress }> {
  const [agent, edgeHub] = await Promise.all([hub.moduleTwin('$edgeAgent'), hub.moduleTwin('$edgeHub')]);
  const modules = agent.properties.desired['modules'];
  const names = isObject(modules) ? Object.keys(modules) : [];
  const twins = await Promise.all(
    // A module that is new has no identity for a moment.
    names.map((name) =>
      hub
        .moduleTwin(name)
        .then((twin): [string, Twin] => [name, twin])
        .catch(() => undefined),
    ),
  );
  const progress = progressOf(agent, edgeHub, new Map(twins.flatMap((pair) => (pair ? [pair] : []))));
  return { agent, edgeHub, progress };
}
