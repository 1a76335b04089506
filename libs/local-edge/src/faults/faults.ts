import { EventEmitter } from 'node:events';

/**
 * A fault that stays until it is cleared. `module` is a module's name on the edge device, or a device's name.
 *
 * - `network`: the module cannot reach the hub: its connection is cut at once, without a word, and new ones are too;
 * - `upstream`: nothing leaves for the cloud; messages to `$upstream` wait;
 * - `delay`: what the hub sends to the module (all of them when none is named) is late by `ms`;
 * - `clock`: the hub's clock is ahead by `ms` (negative: behind), for tokens and times to live;
 * - `disk`: nothing can be written to the state folder;
 * - `twin`: the module's twin is deaf: neither answers nor desired changes reach it (azure-iot-sdk-node issue 1255).
 */
export type Fault =
  | { readonly kind: 'network'; readonly module: string }
  | { readonly kind: 'upstream' }
  | { readonly kind: 'delay'; readonly module?: string; readonly ms: number }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'disk' }
  | { readonly kind: 'twin'; readonly module: string };

/** All kinds, in the order in which they are explained. */
export const FAULT_KINDS = [
  'network',
  'upstream',
  'delay',
  'clock',
  'disk',
  'twin',
] as const satisfies readonly Fault['kind'][];

/** A fault, since when and until when. */
export interface ActiveFault {
  readonly fault: Fault;
  /** By this machine's clock, whatever the fault `clock` says. */
  readonly sinceUtc: string;
  /** Absent: until it is cleared. */
  readonly untilUtc?: string;
}

interface Entry {
  readonly active: ActiveFault;
  readonly timer: NodeJS.Timeout | undefined;
}

/** The longest time a timer takes, about 25 days. */
export const MAX_FAULT_MS = 2 ** 31 - 1;

/**
 * The faults that are injected now. The parts of the runtime ask it at the points where such a fault strikes; without
 * faults every question costs a lookup in an empty map.
 *
 * Events: `change` (a fault was set or cleared).
 */
export class Faults extends EventEmitter<{ change: [] }> {
  readonly #active = new Map<string, Entry>();

  /**
   * Sets a fault; one of the same kind and module is replaced.
   * @param forMs it ends by itself after so long, at most {@link MAX_FAULT_MS}; absent: when it is cleared
   */
  set(fault: Fault, forMs?: number): ActiveFault {
    const key = keyOf(fault);
    clearTimeout(this.#active.get(key)?.timer);
    const now = Date.now();
    const active: ActiveFault = {
      fault,
      sinceUtc: new Date(now).toISOString(),
      ...(forMs === undefined ? {} : { untilUtc: new Date(now + forMs).toISOString() }),
    };
    const timer = forMs === undefined ? undefined : setTimeout(() => this.#end(active), forMs);
    // A fault that is to end later must not keep a process that has nothing else to do.
    timer?.unref();
    this.#active.set(key, { active, timer });
    this.emit('change');
    return active;
  }

  /** Sets a fault and resolves when it is over: its time was up, it was cleared, or replaced. */
  async injectFor(fault: Fault, forMs: number): Promise<void> {
    const key = keyOf(fault);
    const mine = this.set(fault, forMs);
    await new Promise<void>((resolve) => {
      const onChange = (): void => {
        if (this.#active.get(key)?.active === mine) return;
        this.off('change', onChange);
        resolve();
      };
      this.on('change', onChange);
    });
  }

  /** Ends faults: all, those of a kind, or the one of a kind and module. Yields how many there were. */
  clear(kind?: Fault['kind'], module?: string): number {
    let count = 0;
    for (const [key, { active, timer }] of this.#active) {
      if (kind !== undefined && active.fault.kind !== kind) continue;
      if (module !== undefined && moduleOf(active.fault) !== module) continue;
      clearTimeout(timer);
      this.#active.delete(key);
      count += 1;
    }
    if (count > 0) this.emit('change');
    return count;
  }

  active(): Fault[] {
    return this.list().map(({ fault }) => fault);
  }

  /** The same with their times. */
  list(): ActiveFault[] {
    return [...this.#active.values()].map(({ active }) => active);
  }

  /** The hub's clock, milliseconds since 1970. Everything that compares times uses it. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  /** How far the hub's clock is ahead of this machine's. */
  get clockOffsetMs(): number {
    const clock = this.#active.get('clock:')?.active.fault;
    return clock?.kind === 'clock' ? clock.ms : 0;
  }

  isNetworkCut(module: string): boolean {
    return this.#active.has(`network:${module}`);
  }

  get isUpstreamCut(): boolean {
    return this.#active.has('upstream:');
  }

  delayMs(module: string): number {
    const delay = (this.#active.get(`delay:${module}`) ?? this.#active.get('delay:'))?.active.fault;
    return delay?.kind === 'delay' ? delay.ms : 0;
  }

  get isDiskFull(): boolean {
    return this.#active.has('disk:');
  }

  isTwinDeaf(module: string): boolean {
    return this.#active.has(`twin:${module}`);
  }

  #end(active: ActiveFault): void {
    const key = keyOf(active.fault);
    if (this.#active.get(key)?.active !== active) return;
    this.#active.delete(key);
    this.emit('change');
  }
}

function moduleOf(fault: Fault): string {
  return 'module' in fault ? (fault.module ?? '') : '';
}

function keyOf(fault: Fault): string {
  return `${fault.kind}:${moduleOf(fault)}`;
}
