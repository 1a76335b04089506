import { createHash } from 'node:crypto';
import type { ContainerCreateOptions, EndpointSettings, HostConfig } from 'dockerode';
import { isTwinObject } from '@vantage/contracts';
import { bindsOf } from '../create-options.ts';
import type { ModuleLaunch } from '../executor.ts';
import { GATEWAY_NAME } from './gateway.ts';

/** Label of everything that a runtime makes in an engine; its value names the runtime. */
export const RUNTIME_LABEL = 'vantage.edge.runtime';
/** edgeAgent's own label, with another value: a real edgeAgent on the same machine must leave our containers alone. */
const OWNER_LABEL = 'net.azure-devices.edge.owner';
/** What a container was made from: an equal one is started again as it is, anything else is made anew. */
export const CONFIG_LABEL = 'vantage.edge.config';

const WORKLOAD_SOCKET = '/var/run/iotedge/workload.sock';
/** Where containers find the runtime's CA. */
export const TRUST_BUNDLE = '/var/run/iotedge/trust-bundle.pem';
/** The network of edgeAgent; deployments that name it mean the network of the modules. */
const EDGE_NETWORK = 'azure-iot-edge';

/** Where the containers of one runtime live. */
export interface ContainerPlace {
  /** Of all names: containers, volumes, the network. */
  readonly prefix: string;
  readonly network: string;
  /** Address of this machine in that network. */
  readonly gatewayAddress: string;
  /** Value of IOTEDGE_GATEWAYHOSTNAME. */
  readonly gatewayHostName: string;
  readonly caFile: string;
  readonly imageId: string;
}

export function containerName(prefix: string, moduleId: string): string {
  return `${prefix}-${moduleId}`;
}

export function volumeName(prefix: string, name: string): string {
  return `${prefix}-${name}`;
}

/** The names of the volumes that a module wants, from `Binds` and from `Mounts`. */
export function namedVolumes(createOptions: Readonly<Record<string, unknown>>): string[] {
  const binds = bindsOf(createOptions).flatMap(({ source }) => (source.startsWith('/') ? [] : [source]));
  const mounts = mountsOf(createOptions).flatMap((mount) => (isNamedVolume(mount) ? [String(mount['Source'])] : []));
  return [...new Set([...binds, ...mounts])];
}

/** The module's createOptions as they are, and what makes it a module of this runtime. */
export function containerConfig(launch: ModuleLaunch, place: ContainerPlace): ContainerCreateOptions {
  const { createOptions, moduleId } = launch;
  const given = isTwinObject(createOptions['HostConfig']) ? createOptions['HostConfig'] : {};
  const env = {
    ...launch.env,
    IOTEDGE_WORKLOADURI: `unix://${WORKLOAD_SOCKET}`,
    IOTEDGE_GATEWAYHOSTNAME: place.gatewayHostName,
    // Its standard input ends with the runtime, however that went.
    VANTAGE_PARENT_STDIN: '1',
  };
  const config: ContainerCreateOptions = {
    ...createOptions,
    Image: launch.image,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    OpenStdin: true,
    StdinOnce: true,
    ...networkOf(createOptions, given, place, moduleId),
  };
  config.HostConfig = {
    ...(given as HostConfig),
    ...config.HostConfig,
    Binds: [
      ...bindsOf(createOptions).map(({ source, target, mode }) => {
        const from = source.startsWith('/') ? source : volumeName(place.prefix, source);
        return `${from}:${target}${mode === '' ? '' : `:${mode}`}`;
      }),
      `${launch.workloadSocket}:${WORKLOAD_SOCKET}`,
      `${place.caFile}:${TRUST_BUNDLE}:ro`,
    ],
    ExtraHosts: [...listOf(given['ExtraHosts']), `${GATEWAY_NAME}:${place.gatewayAddress}`],
    // The agent starts modules again, and reads how they ended.
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
  };
  const mounts = mountsOf(createOptions);
  if (mounts.length > 0) {
    config.HostConfig.Mounts = mounts.map((mount) =>
      isNamedVolume(mount) ? { ...mount, Source: volumeName(place.prefix, String(mount['Source'])) } : mount,
    ) as unknown as NonNullable<HostConfig['Mounts']>;
  }
  const hash = createHash('sha256')
    .update(JSON.stringify([config, place.imageId]))
    .digest('hex');
  return {
    ...config,
    name: containerName(place.prefix, moduleId),
    Labels: {
      ...(isTwinObject(createOptions['Labels']) ? (createOptions['Labels'] as Record<string, string>) : {}),
      [OWNER_LABEL]: 'vantage',
      'net.azure-devices.edge.module': moduleId,
      'net.azure-devices.edge.original-image': launch.image,
      [RUNTIME_LABEL]: place.prefix,
      [CONFIG_LABEL]: hash,
    },
  };
}

/** A module that names no network of its own is in the runtime's, under its own name. */
function networkOf(
  createOptions: Readonly<Record<string, unknown>>,
  hostConfig: Readonly<Record<string, unknown>>,
  place: ContainerPlace,
  moduleId: string,
): Pick<ContainerCreateOptions, 'HostConfig' | 'NetworkingConfig'> {
  const mode = hostConfig['NetworkMode'];
  if (typeof mode === 'string' && !['', 'default', EDGE_NETWORK].includes(mode)) return {};
  const networking = createOptions['NetworkingConfig'];
  const endpoints = isTwinObject(networking) ? networking['EndpointsConfig'] : undefined;
  const { [EDGE_NETWORK]: own, ...others } = isTwinObject(endpoints) ? endpoints : {};
  const settings: EndpointSettings = isTwinObject(own) ? own : {};
  return {
    HostConfig: { NetworkMode: place.network },
    NetworkingConfig: {
      EndpointsConfig: {
        ...(others as Record<string, EndpointSettings>),
        [place.network]: { ...settings, Aliases: [...listOf(settings.Aliases), moduleId] },
      },
    },
  };
}

type Mount = Readonly<Record<string, unknown>>;

function mountsOf(createOptions: Readonly<Record<string, unknown>>): Mount[] {
  const hostConfig = createOptions['HostConfig'];
  const mounts = isTwinObject(hostConfig) ? hostConfig['Mounts'] : undefined;
  return Array.isArray(mounts) ? mounts.filter(isTwinObject) : [];
}

function isNamedVolume(mount: Mount): boolean {
  return mount['Type'] === 'volume' && typeof mount['Source'] === 'string' && mount['Source'] !== '';
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
