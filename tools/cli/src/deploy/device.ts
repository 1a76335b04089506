import { VantageError } from '@vantage/contracts';
import { findHub, History, type Hub, type ModulesContent } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import type { BlobOptions } from '../twin/blob-account.ts';
import { keptLine } from '../twin/keep-large.ts';
import { showHistory } from '../hub/show-history.ts';
import { untilSignal } from '../until-signal.ts';
import { changeText, diffDeployments, MARKS, type DeploymentChange } from './diff.ts';
import { follow, look } from './follow.ts';
import { newLargeValues, planLarge, readWholeContent, withLargeKept, type DeployedValue } from './large-values.ts';
import { platformFor } from './platform.ts';
import type { DeploymentProgress } from './progress.ts';
import { openDeployment, readDeployment, type ReadOptions } from './read-deployment.ts';
import { renderDiff } from './render-diff.ts';
import { takeSnapshot } from './snapshot.ts';

export interface ApplyOptions extends BlobOptions {
  readonly dryRun?: boolean;
  /** Seconds. */
  readonly wait?: number;
  readonly json?: boolean;
}

/** @returns exit status: 0 done; 2 deployed, and not well (or not yet) */
export async function deployToDevice(file: string, options: ApplyOptions & ReadOptions): Promise<number> {
  // It loads the local runtime, half of all files: the other commands for a hub need none of it.
  const { localVariables } = await import('./local-variables.ts');
  const here = { ...options, variables: await localVariables(options) };
  const opened = await openDeployment(file, here);
  let hub: Hub | undefined;
  // What is wrong with the file is said without a hub, where the device's kind is known.
  const find = async (): Promise<Hub> => (hub ??= await findHub(options));
  const platform = await platformFor(find, opened.env, options.platform);
  const { content, layered } = await readDeployment(opened, {
    ...here,
    ...(platform === undefined ? {} : { platform }),
  });
  if (layered) {
    throw new VantageError(
      'DEPLOYMENT_INVALID',
      `${file} is layered: it needs a --target-condition, a device alone takes whole ones`,
    );
  }
  return apply(await find(), content, options);
}

/** Goes back to what the device had before. Exit status as above. */
export async function rollBack(steps: number, options: ApplyOptions): Promise<number> {
  const hub = await findHub(options);
  const history = historyOf(hub);
  const { value: content, past } = await history.read<ModulesContent>(steps);
  if (!options.json) process.stdout.write(`back to what ${hub.device} ran until ${past.replacedAt}\n`);
  return apply(hub, content, options, async () => history.forget(past));
}

export async function printHistory(options: HubOptions & { readonly json?: boolean }): Promise<void> {
  const hub = await findHub(options);
  const now = await takeSnapshot(hub)
    .then((stored) => readWholeContent(stored, options))
    // What is kept is kept here, also while the hub is away.
    .catch(() => undefined);
  await showHistory(historyOf(hub), options.json === true, now?.content, (before, after) =>
    diffDeployments(before, after).map(({ what, name, how, values }) => {
      const [only, ...more] = values;
      const value = only && more.length === 0 && how === 'changed' ? ` ${changeText(only)}` : '';
      return `${MARKS[how]} ${what} ${name}${value}`;
    }),
  );
}

function historyOf(hub: Hub): History {
  return new History(hub, 'deployment');
}

async function apply(
  hub: Hub,
  content: ModulesContent,
  options: ApplyOptions,
  onApplied: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const stored = await takeSnapshot(hub);
  const { content: before, expired } = await readWholeContent(stored, options);
  const changes = diffDeployments(before, content);
  const plans = planLarge(content, stored, expired);
  const spilled = newLargeValues(plans);
  if (!options.json) tell(hub, changes, spilled);
  if (options.dryRun) return finish(options, { changes, applied: false, spilled });
  const small = await withLargeKept(content, plans, options);
  const wasBefore = options.wait === undefined ? undefined : await look(hub);
  await historyOf(hub).add(before);
  await hub.applyContent(small);
  await onApplied();
  if (!options.json) process.stdout.write(`deployed to ${hub.device} (${hub.name})\n`);
  if (options.wait === undefined || wasBefore === undefined)
    return finish(options, { changes, applied: true, spilled });
  const end = untilSignal();
  const progress = await follow(hub, options.wait * 1000, end.signal, wasBefore.progress, (now) => {
    if (!options.json) process.stdout.write(`${progressLine(now)}\n`);
  });
  end.release();
  const isLeft = end.signal.aborted;
  if (!options.json) process.stdout.write(isLeft ? leaving(progress) : conclusion(progress, options.wait));
  return finish(options, { changes, applied: true, spilled, progress });
}

interface Result {
  readonly changes: readonly DeploymentChange[];
  readonly applied: boolean;
  /** Values that are too large for a hub, and new in blob storage. */
  readonly spilled: readonly DeployedValue[];
  readonly progress?: DeploymentProgress;
}

function finish({ json }: ApplyOptions, result: Result): number {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return result.progress && result.progress.state !== 'well' ? 2 : 0;
}

function tell(hub: Hub, changes: readonly DeploymentChange[], spilled: readonly DeployedValue[]): void {
  const lines = changes.length === 0 ? [`${hub.device} is told exactly this already`] : renderDiff(changes);
  const large = spilled.map((value) => `twin ${value.module}: ${keptLine(value, 'goes into')}`);
  process.stdout.write(`${[...lines, ...large].join('\n')}\n`);
}

function progressLine({ modules }: DeploymentProgress): string {
  const well = modules.filter(({ state }) => state === 'well').length;
  const others = modules.filter(({ state }) => state !== 'well').map(({ name, text }) => `${name} ${text}`);
  return `${well} of ${modules.length} modules as they should be${others.length > 0 ? `; ${others.join('; ')}` : ''}`;
}

/** Ctrl-C ends the looking, not the deployment. */
function leaving({ state }: DeploymentProgress): string {
  if (state === 'well') return 'everything runs\n';
  return 'not there yet, and the device goes on with it: "vantage status" looks again, "vantage deploy rollback" goes back\n';
}

function conclusion({ state, modules, problems }: DeploymentProgress, seconds: number): string {
  if (state === 'well') return 'everything runs\n';
  const bad = modules.filter((module) => module.state !== 'well').map(({ name, text }) => `  ${name}: ${text}`);
  const lines = [...problems.map((problem) => `  ${problem}`), ...bad];
  const head = state === 'failed' ? 'it does not work:' : `not there after ${seconds} s:`;
  return `${head}\n${lines.join('\n')}\n"vantage deploy rollback" goes back to what ran before\n`;
}
