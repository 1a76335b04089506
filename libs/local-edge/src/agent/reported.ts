import { arch, platform } from 'node:os';
import { isTwinObject } from '@vantage/contracts';
import { MAX_STARTUP_ORDER, type AgentConfig, type ModuleSpec } from './config.ts';
import { joinChunks } from './create-options.ts';
import { NEVER, type ModuleState } from './module-supervisor.ts';

/** How far the last desired properties of `$edgeAgent` have come (contract iot-edge-runtime C.2). */
export interface DeploymentStatus {
  readonly version: number;
  /** 200 ok, 400 configuration not valid, 406 agent not running, 412 schema not known, 417 none, 500 plan failed. */
  readonly code: 200 | 400 | 406 | 412 | 417 | 500;
  readonly description: string;
}

/** What the agent knows when it reports. */
export interface AgentPicture {
  readonly status: DeploymentStatus;
  readonly config: AgentConfig | undefined;
  readonly startedUtc: string;
  readonly isRunning: boolean;
  readonly modules: readonly { readonly spec: ModuleSpec; readonly state: ModuleState }[];
}

/** The release of IoT Edge whose behaviour is followed. */
const VERSION = '1.5.0';
const MACHINES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', arm: 'armv7l' };

/** The reported properties of `$edgeAgent`, in edgeAgent's own form (contract iot-edge-runtime C.2). */
export function reportedProperties(picture: AgentPicture): Record<string, unknown> {
  const { status, config, modules } = picture;
  return {
    schemaVersion: '1.1.0',
    version: { version: VERSION, build: 'vantage', commit: '' },
    lastDesiredVersion: status.version,
    lastDesiredStatus: { code: status.code, description: status.description },
    runtime: {
      ...runtimeWithoutSecrets(config?.runtime ?? {}),
      platform: { os: platform(), architecture: MACHINES[arch()] ?? arch(), version: VERSION },
    },
    systemModules: {
      edgeAgent: systemModule(picture, 'edgeAgent'),
      edgeHub: {
        ...systemModule(picture, 'edgeHub'),
        status: 'running',
        restartPolicy: 'always',
        startupOrder: startupOrderOf(config?.systemModules['edgeHub']),
        restartCount: 0,
        lastRestartTimeUtc: NEVER,
      },
    },
    modules: Object.fromEntries(modules.map(({ spec, state }) => [spec.moduleId, reportedModule(spec, state)])),
  };
}

/** Passwords of registries are desired, they are never reported. */
function runtimeWithoutSecrets(runtime: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { minDockerVersion, loggingOptions } = isTwinObject(runtime['settings']) ? runtime['settings'] : {};
  return {
    type: 'docker',
    settings: {
      ...(typeof minDockerVersion === 'string' ? { minDockerVersion } : {}),
      ...(typeof loggingOptions === 'string' ? { loggingOptions } : {}),
    },
  };
}

function reportedModule(spec: ModuleSpec, state: ModuleState): Record<string, unknown> {
  return {
    type: 'docker',
    status: spec.status,
    restartPolicy: spec.restartPolicy,
    imagePullPolicy: spec.imagePullPolicy,
    startupOrder: spec.startupOrder,
    ...(spec.version === '' ? {} : { version: spec.version }),
    env: Object.fromEntries(Object.entries(spec.env).map(([key, value]) => [key, { value }])),
    settings: { image: spec.image, imageHash: state.imageHash, createOptions: spec.createOptionsText },
    runtimeStatus: state.status,
    statusDescription: state.description,
    exitCode: state.exitCode,
    restartCount: state.restartCount,
    lastStartTimeUtc: state.lastStartTimeUtc,
    lastExitTimeUtc: state.lastExitTimeUtc,
    lastRestartTimeUtc: state.lastRestartTimeUtc,
  };
}

/** The agent and the hub are this very process: what the deployment says of them is reported back as it stands. */
function systemModule(picture: AgentPicture, name: string): Record<string, unknown> {
  const desired = picture.config?.systemModules[name];
  const part = (key: string): Record<string, unknown> =>
    isTwinObject(desired) && isTwinObject(desired[key]) ? desired[key] : {};
  const settings = part('settings');
  return {
    type: 'docker',
    imagePullPolicy: isTwinObject(desired) ? (desired['imagePullPolicy'] ?? 'on-create') : 'on-create',
    env: part('env'),
    settings: { image: settings['image'] ?? '', imageHash: '', createOptions: createOptionsOf(settings) },
    runtimeStatus: picture.isRunning ? 'running' : 'unknown',
    statusDescription: 'part of the local edge runtime',
    exitCode: 0,
    lastStartTimeUtc: picture.startedUtc,
    lastExitTimeUtc: NEVER,
  };
}

function startupOrderOf(desired: unknown): unknown {
  return isTwinObject(desired) ? (desired['startupOrder'] ?? MAX_STARTUP_ORDER) : MAX_STARTUP_ORDER;
}

/** Those of system modules have no effect here, so what is wrong with them is nobody's problem. */
function createOptionsOf(settings: Readonly<Record<string, unknown>>): string {
  try {
    return joinChunks(settings, 'createOptions');
  } catch {
    return '';
  }
}
