import { VantageError } from '@vantage/contracts';
import { findHub, History, type Hub, type ModulesContent } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { showHistory } from '../hub/show-history.ts';
import { untilSignal } from '../until-signal.ts';
import { diffDeployments, type DeploymentChange } from './diff.ts';
import { follow } from './follow.ts';
import { localVariables } from './local-variables.ts';
import { platformFor } from './platform.ts';
import type { DeploymentProgress } from './progress.ts';
import { readDeployment, type ReadOptions } from './read-deployment.ts';
import { renderDiff } from './render-diff.ts';
import { takeSnapshot } from './snapshot.ts';

export interface ApplyOptions extends HubOptions {
  readonly dryRun?: boolean;
  /** Seconds. */
  readonly wait?: number;
  readonly json?: boolean;
}

/** @returns exit status: 0 done; 2 deployed, and not well (or not yet) */
export async function deployToDevice(file: string, options: ApplyOptions & ReadOptions): Promise<number> {
  const variables = await localVariables(options);
  let hub: Hub | undefined;
  // What is wrong with the file is said without a hub, where the device's kind is known.
  const find = async (): Promise<Hub> => (hub ??= await findHub(options));
  const platform = await platformFor(find, file, options);
  const made = { ...options, variables, ...(platform === undefined ? {} : { platform }) };
  const { content, layered } = await readDeployment(file, made);
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
  await showHistory(historyOf(await findHub(options)), options.json === true);
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
  const before = await takeSnapshot(hub);
  const changes = diffDeployments(before, content);
  if (!options.json) tell(hub, changes);
  if (options.dryRun) return finish(options, { changes, applied: false });
  await historyOf(hub).add(before);
  await hub.applyContent(content);
  await onApplied();
  if (!options.json) process.stdout.write(`deployed to ${hub.device} (${hub.name})\n`);
  if (options.wait === undefined) return finish(options, { changes, applied: true });
  const end = untilSignal();
  const progress = await follow(hub, options.wait * 1000, end.signal, (now) => {
    if (!options.json) process.stdout.write(`${progressLine(now)}\n`);
  });
  end.release();
  if (!options.json) process.stdout.write(conclusion(progress, options.wait));
  return finish(options, { changes, applied: true, progress });
}

interface Result {
  readonly changes: readonly DeploymentChange[];
  readonly applied: boolean;
  readonly progress?: DeploymentProgress;
}

function finish({ json }: ApplyOptions, result: Result): number {
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return result.progress && result.progress.state !== 'well' ? 2 : 0;
}

function tell(hub: Hub, changes: readonly DeploymentChange[]): void {
  const lines = changes.length === 0 ? [`${hub.device} is told exactly this already`] : renderDiff(changes);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function progressLine({ modules }: DeploymentProgress): string {
  const well = modules.filter(({ state }) => state === 'well').length;
  const others = modules.filter(({ state }) => state !== 'well').map(({ name, text }) => `${name} ${text}`);
  return `${well} of ${modules.length} modules as they should be${others.length > 0 ? `; ${others.join('; ')}` : ''}`;
}

function conclusion({ state, modules, problems }: DeploymentProgress, seconds: number): string {
  if (state === 'well') return 'everything runs\n';
  const bad = modules.filter((module) => module.state !== 'well').map(({ name, text }) => `  ${name}: ${text}`);
  const lines = [...problems.map((problem) => `  ${problem}`), ...bad];
  const head = state === 'failed' ? 'it does not work:' : `not there after ${seconds} s:`;
  return `${head}\n${lines.join('\n')}\n"vantage deploy rollback" goes back to what ran before\n`;
}
