import type Docker from 'dockerode';
import type { Readable } from 'node:stream';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { readLines } from '../lines.ts';

interface EngineEvent {
  readonly status?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/** What the engine tells about the containers of one runtime: ill ones, and those that ran out of memory. */
export class ContainerEvents {
  readonly #docker: Docker;
  readonly #label: string;
  readonly #logger: Logger;
  readonly #onUnhealthy = new Map<string, () => void>();
  #stream: Readable | undefined;

  constructor(docker: Docker, label: string, logger: Logger) {
    this.#docker = docker;
    this.#label = label;
    this.#logger = logger;
  }

  async open(): Promise<void> {
    const filters = JSON.stringify({ type: ['container'], label: [this.#label], event: ['health_status', 'oom'] });
    this.#stream = (await this.#docker.getEvents({ filters })) as Readable;
    readLines(this.#stream, (line) => {
      try {
        this.#take(JSON.parse(line) as EngineEvent);
      } catch (error) {
        this.#logger.warn('an event of the container engine cannot be read', { error: messageOf(error) });
      }
    });
  }

  /** Resolves when the container's health check has failed as often as it may; forgotten when the container ends. */
  unhealthy(id: string, ended: Promise<unknown>): Promise<void> {
    void ended.then(() => this.#onUnhealthy.delete(id));
    return new Promise((resolve) => this.#onUnhealthy.set(id, resolve));
  }

  close(): void {
    this.#stream?.destroy();
    this.#onUnhealthy.clear();
  }

  #take({ status, Actor: actor }: EngineEvent): void {
    if (status === 'oom') {
      const module = actor?.Attributes?.['net.azure-devices.edge.module'] ?? '';
      this.#logger.warn('a module ran out of the memory that its createOptions allow', { module });
    }
    if (status === 'health_status: unhealthy') this.#onUnhealthy.get(actor?.ID ?? '')?.();
  }
}
