import { VantageError } from '@vantage/contracts';
import { findHub, type HubConfiguration } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { table } from '../table.ts';
import type { BlobOptions } from '../twin/blob-account.ts';
import { keptLine } from '../twin/keep-large.ts';
import { diffDeployments } from './diff.ts';
import { newLargeValues, planLarge, readWholeContent, withLargeKept } from './large-values.ts';
import { localVariables } from './local-variables.ts';
import { openDeployment, readDeployment, type ReadOptions } from './read-deployment.ts';
import { renderDiff } from './render-diff.ts';

export interface FleetOptions extends BlobOptions {
  readonly id: string;
  readonly targetCondition: string;
  readonly priority: number;
  readonly label: Readonly<Record<string, string>>;
  readonly metric: Readonly<Record<string, string>>;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** An automatic deployment: the hub gives it to every device that fits, now and later. */
export async function deployToFleet(file: string, options: FleetOptions & ReadOptions): Promise<void> {
  const here = { ...options, variables: await localVariables(options) };
  const { content, layered } = await readDeployment(await openDeployment(file, here), here);
  const { id, targetCondition, priority, label, metric } = options;
  if (!/^[a-z0-9\-:+%_#*?!(),=@;$']{1,128}$/.test(id)) {
    throw new VantageError(
      'DEPLOYMENT_INVALID',
      `the id "${id}" is not of lower case letters, digits and -:+%_#*?!(),=@;$'`,
    );
  }
  const hub = await findHub(options);
  const devices = await devicesOf(hub, targetCondition);
  const old = await hub.configuration(id);
  const stored = old?.content.modulesContent ?? {};
  const { content: before, expired } = await readWholeContent(stored, options);
  const changes = diffDeployments(before, content);
  const plans = planLarge(content, stored, expired);
  const spilled = newLargeValues(plans);
  if (!options.json) {
    const others = (await hub.configurations()).filter((one) => one.id !== id && one.priority === priority);
    const large = spilled.map((value) => `twin ${value.module}: ${keptLine(value, 'goes into')}`);
    process.stdout.write([...renderDiff(changes), ...large].map((line) => `${line}\n`).join(''));
    process.stdout.write(
      `${layered ? 'layered' : 'whole'} deployment ${id}, priority ${priority}: ${devices.length} devices fit\n`,
    );
    for (const other of others)
      process.stdout.write(`note: ${other.id} has the same priority; the newer of two wins\n`);
  }
  if (old && changes.length > 0) {
    const way = `deploy it under a new id with a higher priority, then "vantage deploy remove ${id}"`;
    throw new VantageError(
      'DEPLOYMENT_FIXED',
      `what ${id} deploys cannot be changed any more (IoT Hub allows it for condition, priority, labels and metrics only): ${way}`,
    );
  }
  if (!options.dryRun) {
    const configuration: HubConfiguration = {
      id,
      content: { modulesContent: await withLargeKept(content, plans, options) },
      targetCondition,
      priority,
      labels: label,
      metrics: { queries: metric },
    };
    await hub.saveConfiguration(configuration, old);
  }
  const applied = options.dryRun !== true;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ id, applied, layered, devices, changes, spilled }, null, 2)}\n`);
  else if (applied)
    process.stdout.write(
      `${old ? 'changed' : 'created'} on ${hub.name}; "vantage deploy show ${id}" counts who has it\n`,
    );
}

export async function listFleet(options: HubOptions & { readonly json?: boolean }): Promise<void> {
  const all = await (await findHub(options)).configurations();
  if (options.json) return void process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  if (all.length === 0) return void process.stdout.write('no deployments for fleets\n');
  const rows = [...all]
    .sort((a, b) => b.priority - a.priority)
    .map((one) => [
      one.id,
      String(one.priority),
      one.targetCondition,
      count(one, 'targetedCount'),
      count(one, 'appliedCount'),
    ]);
  process.stdout.write(`${table(['id', 'priority', 'condition', 'targeted', 'applied'], rows).join('\n')}\n`);
}

/** @throws VantageError DEPLOYMENT_UNKNOWN */
export async function showFleet(id: string, options: HubOptions & { readonly json?: boolean }): Promise<void> {
  const one = await known(id, options);
  if (options.json) return void process.stdout.write(`${JSON.stringify(one, null, 2)}\n`);
  const metrics = { ...one.systemMetrics?.results, ...one.metrics?.results };
  const labels = Object.entries(one.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const lines = [
    `${one.id}  priority ${one.priority}  where ${one.targetCondition}${labels.length > 0 ? `  (${labels.join(', ')})` : ''}`,
    ...Object.entries(metrics).map(([name, value]) => `  ${name}  ${value}`),
    ...renderDiff(diffDeployments({}, one.content.modulesContent)).filter((line) => !line.startsWith(' ')),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** @throws VantageError DEPLOYMENT_UNKNOWN */
export async function removeFleet(id: string, options: HubOptions & { readonly json?: boolean }): Promise<void> {
  await known(id, options);
  const hub = await findHub(options);
  await hub.removeConfiguration(id);
  const text = `${id} removed; each of its devices gets what fits it next`;
  process.stdout.write(`${options.json ? JSON.stringify({ id, removed: true }) : text}\n`);
}

async function known(id: string, options: HubOptions): Promise<HubConfiguration> {
  const hub = await findHub(options);
  const one = await hub.configuration(id);
  if (!one)
    throw new VantageError(
      'DEPLOYMENT_UNKNOWN',
      `${hub.name} has no deployment "${id}"; "vantage deploy list" names them`,
    );
  return one;
}

async function devicesOf(hub: Awaited<ReturnType<typeof findHub>>, condition: string): Promise<string[]> {
  const where = condition.trim() === '*' ? '' : ` WHERE capabilities.iotEdge = true AND (${condition})`;
  const rows = (await hub.query(`SELECT deviceId FROM devices${where}`)) as { deviceId?: string }[];
  return rows.flatMap(({ deviceId }) => deviceId ?? []);
}

function count({ systemMetrics }: HubConfiguration, name: string): string {
  return String(systemMetrics?.results?.[name] ?? 0);
}
