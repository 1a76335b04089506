import pc from 'picocolors';
import { isObject } from '@vantage/contracts';
import { findHub, type Hub, type Twin } from '@vantage/hub';
import { look } from '../deploy/follow.ts';
import { inWords } from '../duration.ts';
import type { HubOptions } from '../hub/options.ts';
import { table } from '../table.ts';

/** How a device and its modules say they are, from twins alone: also of one that is offline. */
export interface DeviceStatus {
  readonly hub: string;
  readonly device: string;
  /** Whether its agent is connected, where the hub says so. */
  readonly connected?: boolean;
  /** Last sign of life, ISO 8601. */
  readonly lastActivity?: string;
  readonly deployment: {
    readonly state: 'waiting' | 'well' | 'failed';
    readonly version?: number;
    readonly problems: readonly string[];
  };
  readonly modules: readonly DeviceModule[];
}

interface DeviceModule {
  readonly name: string;
  readonly state: string;
  readonly since?: string;
  readonly restarts: number;
  readonly connected?: boolean;
  readonly image: string;
  /** What is not as it should be. */
  readonly problem?: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Of the device that the options mean. @throws as `deviceStatus`, and what finding the hub throws */
export async function readDeviceStatus(options: HubOptions): Promise<DeviceStatus> {
  return deviceStatus(await findHub(options));
}

/** @throws VantageError DEVICE_UNKNOWN */
export async function deviceStatus(hub: Hub): Promise<DeviceStatus> {
  const { agent, edgeHub, progress } = await look(hub);
  const reported = {
    ...asObject(agent.properties.reported['systemModules']),
    ...asObject(agent.properties.reported['modules']),
  };
  const clients = asObject(edgeHub.properties.reported['clients']);
  const names = new Set([...Object.keys(reported), ...progress.modules.map(({ name }) => name)]);
  const { connectionState, lastActivityTime } = agent as Twin & JsonObject;
  const version = agent.properties.desired.$version;
  return {
    hub: hub.name,
    device: hub.device,
    ...(typeof connectionState === 'string' ? { connected: connectionState === 'Connected' } : {}),
    ...(typeof lastActivityTime === 'string' && !lastActivityTime.startsWith('0001')
      ? { lastActivity: lastActivityTime }
      : {}),
    deployment: { state: progress.state, ...(version === undefined ? {} : { version }), problems: progress.problems },
    modules: [...names].sort().map((name) => {
      const wanted = progress.modules.find((one) => one.name === name);
      const client = asObject(clients[`${hub.device}/${name}`])['status'];
      return moduleOf(name, asObject(reported[name]), {
        ...(wanted && wanted.state !== 'well' ? { problem: wanted.text } : {}),
        ...(typeof client === 'string' ? { connected: client === 'Connected' } : {}),
      });
    }),
  };
}

function moduleOf(name: string, reported: JsonObject, more: Pick<DeviceModule, 'problem' | 'connected'>): DeviceModule {
  const text = (key: string): string | undefined => {
    const value = reported[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const state = text('runtimeStatus') ?? 'not reported';
  const since = state === 'running' ? text('lastStartTimeUtc') : text('lastExitTimeUtc');
  const image = asObject(reported['settings'])['image'];
  return {
    name,
    state,
    ...(since === undefined || since.startsWith('0001') ? {} : { since }),
    restarts: Number(reported['restartCount'] ?? 0),
    image: typeof image === 'string' ? image : '',
    ...more,
  };
}

/** The status at a glance: what is well is short, what is not is named. */
export function renderDeviceStatus(status: DeviceStatus, nowMs: number): string {
  const { hub, device, connected, lastActivity, deployment, modules } = status;
  const ago = (utc: string | undefined): string => (utc === undefined ? '' : inWords(nowMs - Date.parse(utc)));
  const link = connected === undefined ? '' : connected ? '  connected' : `  ${pc.red('not connected')}`;
  const seen = connected === false && lastActivity !== undefined ? `, last seen ${ago(lastActivity)} ago` : '';
  const rows = modules.map((one) => [
    `${one.problem !== undefined ? pc.red('●') : one.state === 'running' ? pc.green('●') : pc.dim('○')} ${one.name}`,
    one.state,
    ago(one.since),
    String(one.restarts),
    one.connected === undefined ? '' : one.connected ? 'connected' : 'not connected',
    one.image,
    one.problem ?? '',
  ]);
  return [
    `${pc.bold(device)} of ${hub}${link}${seen}   ${deploymentText(deployment)}`,
    ...deployment.problems.map((problem) => `  ${pc.red('●')} ${problem}`),
    '',
    ...(rows.length === 0
      ? [pc.dim('no modules are deployed')]
      : table(['module', 'state', 'since', 'restarts', 'hub', 'image', ''], rows)),
  ].join('\n');
}

function deploymentText({ state, version }: DeviceStatus['deployment']): string {
  const which = version === undefined ? 'deployment' : `deployment ${version}`;
  switch (state) {
    case 'well':
      return `${which} runs`;
    case 'waiting':
      return `${which} is on its way`;
    case 'failed':
      return pc.red(`${which} does not work`);
  }
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
