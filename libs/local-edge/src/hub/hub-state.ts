import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { parseEdgeHubConfig, Router } from '@vantage/routing';
import { identityName, type IdentityStore } from '../state/identities.ts';
import type { TwinStore } from '../twin/store.ts';

const DEFAULT_TTL_SEC = 7200;
const REPORT_INTERVAL_MS = 250;

/** Whether a client is connected, as `$edgeHub` reports it. */
export interface ClientState {
  readonly status: 'Connected' | 'Disconnected';
  readonly lastConnectedTimeUtc?: string;
  readonly lastDisconnectedTimeUtc?: string;
}

/**
 * What the twin of `$edgeHub` says: its desired properties become routes and a time to live, and clients and the fate of
 * the configuration become its reported properties (contract iot-edge-runtime B.3, C.2).
 */
export class HubState {
  readonly #identities: IdentityStore;
  readonly #twins: TwinStore;
  readonly #logger: Logger;
  readonly #clients = new Map<string, ClientState>();
  #router = new Router([], { edgeDeviceId: '' });
  #ttlSec = DEFAULT_TTL_SEC;
  #storeLimitBytes: number | undefined;
  #configured: { readonly version: number; readonly code: number; readonly description: string } | undefined;
  #reporting: Promise<void> = Promise.resolve();
  #reportTimer: NodeJS.Timeout | undefined;
  #reportedAtMs = -Infinity;

  constructor(identities: IdentityStore, twins: TwinStore, logger: Logger) {
    this.#identities = identities;
    this.#twins = twins;
    this.#logger = logger;
  }

  get router(): Router {
    return this.#router;
  }

  /** How long messages are kept whose route does not say; negative: for ever. */
  get ttlSec(): number {
    return this.#ttlSec;
  }

  /** Most bytes of messages that may wait; undefined when the configuration does not say. */
  get storeLimitBytes(): number | undefined {
    return this.#storeLimitBytes;
  }

  client(name: string): ClientState | undefined {
    return this.#clients.get(name);
  }

  /** All clients that came since the start, by name. */
  clients(): [name: string, state: ClientState][] {
    return [...this.#clients];
  }

  clientIs(name: string, status: ClientState['status']): ClientState {
    const now = new Date().toISOString();
    const state: ClientState = {
      ...this.#clients.get(name),
      status,
      ...(status === 'Connected' ? { lastConnectedTimeUtc: now } : { lastDisconnectedTimeUtc: now }),
    };
    this.#clients.set(name, state);
    this.#report();
    return state;
  }

  forget(name: string): void {
    if (this.#clients.delete(name)) this.#report();
  }

  /** Takes the desired properties, all or nothing: on an error the old routes stay, and the error is reported. */
  configure(desired: unknown, version: number): void {
    try {
      const config = parseEdgeHubConfig(desired);
      this.#router = new Router(config.routes, { edgeDeviceId: this.#identities.hub.deviceId });
      this.#ttlSec = config.storeAndForward.timeToLiveSecs;
      this.#storeLimitBytes = config.storeAndForward.maxSizeBytes;
      this.#configured = { version, code: 200, description: '' };
      for (const problem of this.#router.problems) {
        this.#logger.error('a route never matches: its condition does not compile', { ...problem });
      }
    } catch (error) {
      const description = `Error while parsing desired properties - ${messageOf(error)}`;
      this.#configured = { version, code: 400, description };
      this.#logger.error('the configuration of $edgeHub is not valid; the old routes stay', {
        error: messageOf(error),
      });
    }
    this.#reportNow();
  }

  /** Resolves when what has changed so far is reported. */
  async settled(): Promise<void> {
    if (this.#reportTimer !== undefined) this.#reportNow();
    await this.#reporting;
  }

  /**
   * Brings the reported properties up to date, soon. They name all clients: of a thousand that connect at once not each
   * may cost a report of a thousand, so reports keep a distance.
   */
  #report(): void {
    if (this.#reportTimer !== undefined) return;
    const waitMs = this.#reportedAtMs + REPORT_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.#reportNow();
    else {
      this.#reportTimer = setTimeout(() => {
        this.#reportNow();
      }, waitMs);
    }
  }

  #reportNow(): void {
    clearTimeout(this.#reportTimer);
    this.#reportTimer = undefined;
    this.#reportedAtMs = performance.now();
    this.#reporting = this.#reporting
      .then(() =>
        this.#twins.replaceReported(identityName(this.#identities.hub.deviceId, '$edgeHub'), this.#reported()),
      )
      .catch((error: unknown) => {
        this.#logger.warn('the state of $edgeHub could not be reported', { error: messageOf(error) });
      });
  }

  #reported(): Record<string, unknown> {
    const configured = this.#configured;
    return {
      schemaVersion: '1.0',
      version: { version: '1.5.0', build: 'vantage', commit: '' },
      ...(configured === undefined
        ? {}
        : {
            lastDesiredVersion: configured.version,
            lastDesiredStatus: { code: configured.code, description: configured.description },
          }),
      clients: Object.fromEntries(this.#clients),
    };
  }
}
