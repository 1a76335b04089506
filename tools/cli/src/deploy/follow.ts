import { setTimeout as after } from 'node:timers/promises';
import { MODULES, isObject } from '@vantage/contracts';
import type { Hub, Twin } from '@vantage/hub';
import { progressOf, type DeploymentProgress } from './progress.ts';

const ASK_EVERY_MS = 1000;
/** A module that ends at once runs for a moment, too. */
const STEADY_MS = 3000;
/** One that goes on as it did has only to say what it thinks of its twin. */
const SETTLED_MS = 1000;

/**
 * Asks until the device runs what it was told, or says that it cannot.
 *
 * @param before how its modules were before; those that were not started since need not prove that they stay
 * @param onProgress called whenever something has changed
 * @returns how it was in the end; `waiting` when the time was over
 */
export async function follow(
  hub: Hub,
  timeoutMs: number,
  signal: AbortSignal,
  before: DeploymentProgress,
  onProgress: (progress: DeploymentProgress) => void,
): Promise<DeploymentProgress> {
  const deadlineMs = performance.now() + timeoutMs;
  const startedBefore = new Map(before.modules.map(({ name, startedAt }) => [name, startedAt]));
  let last = '';
  let wellSinceMs: number | undefined;
  for (;;) {
    const { progress, isAnswered } = await look(hub);
    const text = JSON.stringify(progress);
    if (text !== last) onProgress(progress);
    last = text;
    const nowMs = performance.now();
    wellSinceMs = progress.state === 'well' ? (wellSinceMs ?? nowMs) : undefined;
    const goesOn = progress.modules.every(({ name, startedAt }) => startedBefore.get(name) === startedAt);
    const enoughMs = goesOn && isAnswered ? SETTLED_MS : STEADY_MS;
    const isSteady = wellSinceMs !== undefined && nowMs - wellSinceMs >= enoughMs;
    if (progress.state === 'failed' || isSteady || nowMs >= deadlineMs || signal.aborted) return progress;
    await after(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface Look {
  readonly agent: Twin;
  readonly edgeHub: Twin;
  readonly progress: DeploymentProgress;
  /** The controllermodule, where there is one, has looked at the newest configuration. */
  readonly isAnswered: boolean;
}

/** What a device and the twins of its modules say at this moment. */
export async function look(hub: Hub): Promise<Look> {
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
  const byName = new Map(twins.flatMap((pair) => (pair ? [pair] : [])));
  const controller = byName.get(MODULES.controller)?.properties;
  const configuration = controller?.reported['configuration'];
  const isAnswered =
    controller === undefined || (isObject(configuration) && configuration['version'] === controller.desired.$version);
  return { agent, edgeHub, progress: progressOf(agent, edgeHub, byName), isAnswered };
}
