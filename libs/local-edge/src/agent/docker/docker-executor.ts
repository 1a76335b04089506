import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { containerFailed } from '../../errors.ts';
import type { ModuleExecutor, ModuleExit, ModuleHandle, ModuleLaunch } from '../executor.ts';
import { readLines } from '../lines.ts';
import { CONFIG_LABEL, containerConfig, namedVolumes, RUNTIME_LABEL, volumeName } from './container-config.ts';
import { ContainerEvents } from './container-events.ts';
import { connectEngine, engineMessage, engineStatus, unless } from './engine.ts';
import { Gateway, type HubPorts } from './gateway.ts';
import { provideImage } from './image-pull.ts';

export interface DockerExecutorOptions {
  readonly stateDir: string;
  /** PEM file of the runtime's CA. */
  readonly caFile: string;
  readonly ports: HubPorts;
  readonly logger: Logger;
}

interface Open {
  readonly docker: Docker;
  readonly gatewayAddress: string;
  readonly gatewayHostName: string;
}

/** Folder in the state folder where the named volumes of containers are, each under its name. */
export const CONTAINER_VOLUMES = 'container-volumes';

/**
 * Runs modules as containers of a Docker engine on this machine: in a network of the runtime where modules find each
 * other by name, with their createOptions as they stand. Named volumes are folders of the state folder, so that clips
 * and the like are at hand, and two runtimes on one machine share nothing.
 *
 * All that it makes carries a label with the runtime's name; what a killed runtime left behind is removed at the next
 * start.
 */
export class DockerExecutor implements ModuleExecutor {
  readonly #options: DockerExecutorOptions;
  /** Of everything it makes; the same for the same state folder. */
  readonly #prefix: string;
  readonly #gateway = new Gateway();
  #events: ContainerEvents | undefined;
  #open: Open | undefined;

  constructor(options: DockerExecutorOptions) {
    this.#options = options;
    this.#prefix = `vantage-${createHash('sha256').update(options.stateDir).digest('hex').slice(0, 8)}`;
  }

  async open(): Promise<void> {
    const { ports, logger } = this.#options;
    const docker = await connectEngine();
    await this.#removeAll(docker, (name) => {
      logger.warn('a container of an earlier run is still there; it is removed', { container: name });
    });
    const network = await docker.createNetwork({ Name: this.#prefix, Driver: 'bridge', Labels: this.#labels });
    const { IPAM: ipam } = await network.inspect();
    const gatewayAddress = ipam?.Config?.[0]?.Gateway;
    if (gatewayAddress === undefined) throw containerFailed(this.#prefix, 'its network has no gateway address');
    const gatewayHostName = await this.#gateway.open(gatewayAddress, ports, logger);
    this.#events = new ContainerEvents(docker, this.#labelFilter, logger);
    await this.#events.open();
    this.#open = { docker, gatewayAddress, gatewayHostName };
  }

  async start(launch: ModuleLaunch): Promise<ModuleHandle> {
    const open = this.#open;
    if (open === undefined) throw containerFailed(launch.moduleId, 'the container engine is not connected');
    const { docker, gatewayAddress, gatewayHostName } = open;
    const { moduleId } = launch;
    const imageId = await provideImage(docker, launch, () => {
      this.#options.logger.info('an image is fetched', { module: moduleId, image: launch.image });
    });
    try {
      await this.#makeVolumes(docker, launch);
      const container = await this.#provideContainer(
        docker,
        containerConfig(launch, {
          prefix: this.#prefix,
          network: this.#prefix,
          gatewayAddress,
          gatewayHostName,
          caFile: this.#options.caFile,
          imageId,
        }),
      );
      return await this.#run(docker, container, launch, imageId);
    } catch (error) {
      if (engineStatus(error) === undefined) throw error;
      throw containerFailed(moduleId, engineMessage(error), error);
    }
  }

  async forget(moduleId: string): Promise<void> {
    const container = this.#open?.docker.getContainer(`${this.#prefix}-${moduleId}`);
    await unless([404, 409], async () => container?.remove({ force: true, v: true }));
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#events?.close();
    await this.#gateway.close();
    if (open !== undefined) await this.#removeAll(open.docker);
  }

  get #labels(): Record<string, string> {
    return { [RUNTIME_LABEL]: this.#prefix };
  }

  get #labelFilter(): string {
    return `${RUNTIME_LABEL}=${this.#prefix}`;
  }

  /** Removes containers, volumes and the network of this runtime. What is in volumes stays: it is in the state folder. */
  async #removeAll(docker: Docker, onContainer: (name: string) => void = () => undefined): Promise<void> {
    const filters = JSON.stringify({ label: [this.#labelFilter] });
    await Promise.all(
      (await docker.listContainers({ all: true, filters })).map(async ({ Id: id, Names: names }) => {
        onContainer((names[0] ?? id).replace(/^\//, ''));
        await unless([404, 409], () => docker.getContainer(id).remove({ force: true, v: true }));
      }),
    );
    for (const { Name: name } of (await docker.listVolumes({ filters })).Volumes) {
      await unless([404], () => docker.getVolume(name).remove());
    }
    for (const { Id: id } of await docker.listNetworks({ filters })) {
      await unless([404], () => docker.getNetwork(id).remove());
    }
  }

  async #makeVolumes(docker: Docker, launch: ModuleLaunch): Promise<void> {
    for (const name of namedVolumes(launch.createOptions)) {
      const device = join(this.#options.stateDir, CONTAINER_VOLUMES, name);
      await mkdir(device, { recursive: true });
      await docker.createVolume({
        Name: volumeName(this.#prefix, name),
        Driver: 'local',
        DriverOpts: { type: 'none', o: 'bind', device },
        Labels: this.#labels,
      });
    }
  }

  /** A module that is started again goes on in the container it had, as on a device; a changed one gets a new one. */
  async #provideContainer(docker: Docker, config: Docker.ContainerCreateOptions): Promise<Docker.Container> {
    const old = docker.getContainer(config.name ?? '');
    try {
      const { Config: had } = await old.inspect();
      if (had.Labels[CONFIG_LABEL] === config.Labels?.[CONFIG_LABEL]) return old;
      await unless([404], () => old.remove({ force: true, v: true }));
    } catch (error) {
      if (engineStatus(error) !== 404) throw error;
    }
    return docker.createContainer(config);
  }

  async #run(
    docker: Docker,
    container: Docker.Container,
    launch: ModuleLaunch,
    imageHash: string,
  ): Promise<ModuleHandle> {
    // Attached before it starts, so that not a line is missed; the wait too, for one that ends at once.
    const { drained, detach } = await this.#attach(docker, container, launch);
    const gaveUp = new AbortController();
    const waiting = container.wait({ condition: 'next-exit', abortSignal: gaveUp.signal }) as Promise<{
      StatusCode: number;
    }>;
    const ended = waiting.then(
      ({ StatusCode: code }) => ({ code }),
      (error: unknown): ModuleExit => ({ code: -1, reason: `the container engine lost it: ${messageOf(error)}` }),
    );
    try {
      await unless([304], () => container.start());
    } catch (error) {
      gaveUp.abort();
      detach();
      throw error;
    }
    const exited = ended.then(async (exit) => {
      await drained;
      return this.#explain(container, exit);
    });
    const { State: state } = await container.inspect();
    return {
      pid: state.Pid,
      imageHash,
      ignored: ignoredOf(launch),
      exited,
      unhealthy: this.#events?.unhealthy(container.id, exited) ?? new Promise(() => undefined),
      stop: async (timeoutMs) => {
        await unless([304, 404], () => container.stop({ t: Math.max(1, Math.round(timeoutMs / 1000)) }));
        await exited;
      },
      kill: () => {
        container.kill().catch(() => undefined);
      },
    };
  }

  /** `drained` resolves when all output was read. */
  async #attach(
    docker: Docker,
    container: Docker.Container,
    { onLine, createOptions }: ModuleLaunch,
  ): Promise<{ readonly drained: Promise<void>; readonly detach: () => void }> {
    const stream = (await container.attach({
      stream: true,
      stdin: true,
      stdout: true,
      stderr: true,
      hijack: true,
    })) as unknown as Duplex;
    const [out, err] = [new PassThrough(), new PassThrough()];
    readLines(out, (line) => {
      onLine('stdout', line);
    });
    readLines(err, (line) => {
      onLine('stderr', line);
    });
    // With a terminal there is one stream, and no frames around its parts.
    if (createOptions['Tty'] === true) stream.pipe(out);
    else docker.modem.demuxStream(stream, out, err);
    const drained = new Promise<void>((resolve) => {
      stream.on('error', () => stream.destroy());
      stream.on('close', () => {
        out.end();
        err.end();
        resolve();
      });
    });
    return { drained, detach: () => stream.destroy() };
  }

  async #explain(container: Docker.Container, exit: ModuleExit): Promise<ModuleExit> {
    try {
      const { State: state } = await container.inspect();
      if (state.OOMKilled) return { code: exit.code, reason: `out of memory: exited with status ${exit.code}` };
      const error = (state as { Error?: string }).Error ?? '';
      return error === '' ? exit : { code: exit.code, reason: error };
    } catch (error) {
      const reason = engineStatus(error) === 404 ? 'the container was removed' : messageOf(error);
      return { code: exit.code, reason: exit.reason ?? reason };
    }
  }
}

/** All of createOptions goes to the engine; how modules start again is the agent's. */
function ignoredOf({ createOptions }: ModuleLaunch): string[] {
  const hostConfig = createOptions['HostConfig'] as Docker.HostConfig | undefined;
  const policy = hostConfig?.RestartPolicy?.Name ?? '';
  return [
    ...(hostConfig?.AutoRemove === true ? ['HostConfig.AutoRemove'] : []),
    ...(policy === '' || policy === 'no' ? [] : ['HostConfig.RestartPolicy']),
  ];
}
