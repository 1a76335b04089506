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

/**
 * The faults that are injected now. The parts of the runtime ask it at the points where such a fault strikes; without
 * faults every question costs a lookup in an empty map.
 *
 * Events: `change` (a fault was set or cleared).
 */
export class Faults extends EventEmitter<{ change: [] }> {
  readonly #active = new Map<string, Fault>();

  /** Sets a fault; one of the same kind and module is replaced. */
  set(fault: Fault): void {
    this.#active.set(keyOf(fault), fault);
    this.emit('change');
  }

  /** Ends faults: all, those of a kind, or the one of a kind and module. Yields how many there were. */
  clear(kind?: Fault['kind'], module?: string): number {
    let count = 0;
    for (const [key, fault] of this.#active) {
      if (kind !== undefined && fault.kind !== kind) continue;
      if (module !== undefined && moduleOf(fault) !== module) continue;
      this.#active.delete(key);
      count += 1;
    }
    if (count > 0) this.emit('change');
    return count;
  }

  active(): Fault[] {
    return [...this.#active.values()];
  }

  /** The hub's clock, milliseconds since 1970. Everything that compares times uses it. */
  now(): number {
    const clock = this.#active.get('clock:');
    return Date.now() + (clock?.kind === 'clock' ? clock.ms : 0);
  }

  isNetworkCut(module: string): boolean {
    return this.#active.has(`network:${module}`);
  }

  get isUpstreamCut(): boolean {
    return this.#active.has('upstream:');
  }

  delayMs(module: string): number {
    const delay = this.#active.get(`delay:${module}`) ?? this.#active.get('delay:');
    return delay?.kind === 'delay' ? delay.ms : 0;
  }

  get isDiskFull(): boolean {
    return this.#active.has('disk:');
  }

  isTwinDeaf(module: string): boolean {
    return this.#active.has(`twin:${module}`);
  }
}

function moduleOf(fault: Fault): string {
  return 'module' in fault ? (fault.module ?? '') : '';
}

function keyOf(fault: Fault): string {
  return `${fault.kind}:${moduleOf(fault)}`;
}
