import { codeOf, messageOf } from '@vantage/contracts';
import { type CompiledCondition, compileCondition } from './compiler.ts';
import { MessageView, type RoutedMessage, messageSourceOf } from './message.ts';
import { type Sink, sourceMatches } from './route.ts';

/** The lowest priority, of routes that name none. */
export const DEFAULT_PRIORITY = 2_000_000_000;

/** One route of `$edgeHub`, parsed. */
export interface RouteDefinition {
  readonly name: string;
  /** Normalised FROM path. */
  readonly source: string;
  /** Verbatim condition, `true` when there is none. */
  readonly condition: string;
  readonly sink: Sink;
  /** 0 (first) to 9, or {@link DEFAULT_PRIORITY}. */
  readonly priority: number;
  /** 0 inherits the store's time to live. */
  readonly timeToLiveSecs: number;
}

/** Where a message goes. */
export type Endpoint = '$upstream' | { readonly module: string; readonly input: string };

/** One copy of a message that is to be delivered. */
export interface Delivery {
  readonly endpoint: Endpoint;
  readonly priority: number;
  readonly timeToLiveSecs: number;
  readonly routeName: string;
}

/** A route that never matches because its condition does not compile. edgeHub only logs these. */
export interface RouteProblem {
  readonly routeName: string;
  readonly code: string;
  readonly message: string;
}

interface ActiveRoute {
  readonly source: string;
  readonly condition: CompiledCondition;
  /** `true`: no view of the message is needed. */
  readonly always: boolean;
  readonly delivery: Delivery;
}

/** Message sources are few (modules times outputs); a sender of ever new output names must not grow the map. */
const MAX_CACHED_SOURCES = 1000;

/**
 * Says which endpoints get a message: of all matching routes to one endpoint the one with the smallest priority number
 * wins, with its time to live, and makes one copy. Immutable: a changed configuration makes a new Router.
 */
export class Router {
  /** Routes left out because their condition does not compile. */
  readonly problems: readonly RouteProblem[];
  readonly #edgeDeviceId: string;
  /** Per endpoint, in order of first mention; within one by priority. */
  readonly #endpoints: readonly (readonly ActiveRoute[])[];
  readonly #bySource = new Map<string, readonly (readonly ActiveRoute[])[]>();

  constructor(routes: Iterable<RouteDefinition>, options: { readonly edgeDeviceId: string }) {
    this.#edgeDeviceId = options.edgeDeviceId;
    const problems: RouteProblem[] = [];
    const endpoints = new Map<string, ActiveRoute[]>();
    for (const route of routes) {
      const key = endpointKey(route.sink);
      const group = endpoints.get(key) ?? [];
      endpoints.set(key, group);
      try {
        group.push(activate(route));
      } catch (error) {
        problems.push({ routeName: route.name, code: codeOf(error) ?? 'CONDITION_TYPE', message: messageOf(error) });
      }
    }
    this.problems = problems;
    this.#endpoints = [...endpoints.values()].map((group) =>
      group.sort((a, b) => a.delivery.priority - b.delivery.priority),
    );
  }

  /** The copies of a message to deliver; none when no route matches (edgeHub has no fallback route). */
  route(message: RoutedMessage): Delivery[] {
    const candidates = this.#candidates(messageSourceOf(message));
    const deliveries: Delivery[] = [];
    let view: MessageView | undefined;
    for (const group of candidates) {
      for (const route of group) {
        if (!route.always) {
          view ??= new MessageView(message, this.#edgeDeviceId);
          if (route.condition.evaluateView(view) !== true) continue;
        }
        deliveries.push(route.delivery);
        break;
      }
    }
    return deliveries;
  }

  #candidates(source: string): readonly (readonly ActiveRoute[])[] {
    const cached = this.#bySource.get(source);
    if (cached !== undefined) return cached;
    const candidates = this.#endpoints
      .map((group) => group.filter((route) => sourceMatches(route.source, source)))
      .filter((group) => group.length > 0);
    if (this.#bySource.size >= MAX_CACHED_SOURCES) this.#bySource.clear();
    this.#bySource.set(source, candidates);
    return candidates;
  }
}

function activate(route: RouteDefinition): ActiveRoute {
  const { name, source, condition, sink, priority, timeToLiveSecs } = route;
  const endpoint = sink.kind === 'upstream' ? '$upstream' : { module: sink.module, input: sink.input };
  return {
    source,
    condition: compileCondition(condition),
    always: condition === 'true',
    delivery: { endpoint, priority, timeToLiveSecs, routeName: name },
  };
}

function endpointKey(sink: Sink): string {
  return sink.kind === 'upstream' ? '$upstream' : `${sink.module}/${sink.input}`;
}
