import { isObject } from '@vantage/contracts';
import type { Twin } from '@vantage/hub';
import { parseImage } from '@vantage/manifest';

export interface ModuleProgress {
  readonly name: string;
  readonly state: 'waiting' | 'well' | 'bad';
  /** `pulling`, `running`, `failed: …` */
  readonly text: string;
  /** Of its last start, by the device's clock. */
  readonly startedAt?: string;
}

export interface DeploymentProgress {
  readonly modules: readonly ModuleProgress[];
  /** What the runtime itself says of the deployment; a refusal is final. */
  readonly problems: readonly string[];
  readonly state: 'waiting' | 'well' | 'failed';
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Restarts that are no accident any more. */
const MAX_RESTARTS = 5;

/**
 * How far a device is with its deployment, from the twins of `$edgeAgent` and `$edgeHub` and of its modules (contract
 * C.2: the version it was told is the one it reports, with code 200, and each module is as it should be).
 */
export function progressOf(agent: Twin, hub: Twin, moduleTwins: ReadonlyMap<string, Twin>): DeploymentProgress {
  const problems = [...refusals('$edgeAgent', agent), ...refusals('$edgeHub', hub)];
  const versionTaken = taken(agent) && taken(hub);
  const wanted = asObject(agent.properties.desired['modules']);
  const reported = asObject(agent.properties.reported['modules']);
  const modules = Object.entries(wanted).map(([name, module]): ModuleProgress => {
    const said = asObject(reported[name]);
    const startedAt = said['lastStartTimeUtc'];
    return {
      ...moduleProgress(name, asObject(module), said, versionTaken, moduleTwins.get(name)),
      ...(typeof startedAt === 'string' ? { startedAt } : {}),
    };
  });
  const failed = problems.length > 0 || modules.some(({ state }) => state === 'bad');
  const well = versionTaken && modules.every(({ state }) => state === 'well');
  return { modules, problems, state: failed ? 'failed' : well ? 'well' : 'waiting' };
}

function taken({ properties: { desired, reported } }: Twin): boolean {
  return reported['lastDesiredVersion'] === desired.$version && asObject(reported['lastDesiredStatus'])['code'] === 200;
}

function refusals(name: string, { properties: { desired, reported } }: Twin): string[] {
  const { code, description } = asObject(reported['lastDesiredStatus']);
  // What it says of an older version is of the past; 0 or none: it has not looked yet.
  if (reported['lastDesiredVersion'] !== desired.$version || typeof code !== 'number' || code < 400) return [];
  return [
    `${name} refuses the deployment (${code}): ${typeof description === 'string' ? description : 'it says no more'}`,
  ];
}

function moduleProgress(
  name: string,
  wanted: JsonObject,
  reported: JsonObject,
  versionTaken: boolean,
  twin: Twin | undefined,
): ModuleProgress {
  const image = asObject(wanted['settings'])['image'];
  const runs = asObject(reported['settings'])['image'];
  const status = typeof reported['runtimeStatus'] === 'string' ? reported['runtimeStatus'] : 'unknown';
  const goal = typeof wanted['status'] === 'string' ? wanted['status'] : 'running';
  const why =
    typeof reported['statusDescription'] === 'string' && reported['statusDescription'] !== ''
      ? `: ${reported['statusDescription']}`
      : '';
  const restarts = Number(reported['restartCount'] ?? 0);
  if (!versionTaken || !isSameImage(image, runs))
    return { name, state: 'waiting', text: `waiting for ${String(image)}` };
  if (status === goal) {
    const complaints = complaintsOf(twin);
    return complaints === undefined ? { name, state: 'well', text: status } : { name, state: 'bad', text: complaints };
  }
  const hopeless = ['failed', 'dead', 'unhealthy'].includes(status) || restarts >= MAX_RESTARTS;
  return {
    name,
    state: hopeless ? 'bad' : 'waiting',
    text: `${status}${why}${restarts > 0 ? `, ${restarts} restarts` : ''}`,
  };
}

/** edgeAgent reports an image with its tag, `latest` where none was given, and with the parent's name for `$upstream`. */
function isSameImage(wanted: unknown, runs: unknown): boolean {
  if (wanted === runs) return true;
  if (typeof wanted !== 'string' || typeof runs !== 'string') return false;
  try {
    const [{ name, registry = '' }, reported] = [parseImage(wanted), parseImage(runs)];
    if (!registry.startsWith('$upstream')) return name === reported.name;
    return reported.name.slice((reported.registry ?? '').length) === name.slice(registry.length);
  } catch {
    return false;
  }
}

/** What a module of this house says about the configuration it was given. */
function complaintsOf(twin: Twin | undefined): string | undefined {
  const configuration = asObject(twin?.properties.reported['configuration']);
  const errors = Array.isArray(configuration['errors']) ? configuration['errors'] : [];
  const version = configuration['version'];
  // An older twin's errors are of the past.
  if (twin?.moduleId === 'controllermodule' && version !== twin.properties.desired.$version) return undefined;
  const texts = errors.flatMap((error: unknown) => {
    const { path, message } = asObject(error);
    return typeof message === 'string'
      ? [`${typeof path === 'string' && path !== '' ? `${path}: ` : ''}${message}`]
      : [];
  });
  if (texts.length === 0) return undefined;
  const more = texts.length > 1 ? ` (and ${texts.length - 1} more)` : '';
  return `does not take its configuration: ${texts[0] ?? ''}${more}`;
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
