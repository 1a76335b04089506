import { isTwinObject } from '@vantage/contracts';
import { invalidArgument } from '../errors.ts';
import { FAULT_KINDS, MAX_FAULT_MS, type Fault } from './faults.ts';

/** A fault as it is asked for from outside. */
export interface FaultRequest {
  readonly fault: Fault;
  readonly forMs: number | undefined;
}

/** Clocks further off are no fault but nonsense; dates stay valid within it. */
const MAX_CLOCK_MS = 10 * 365 * 24 * 3_600_000;
const MAX_DELAY_MS = 3_600_000;

/**
 * Reads `{kind, module?, ms?, forMs?}`.
 * @throws VantageError EDGE_INVALID_ARGUMENT
 */
export function parseFaultRequest(body: unknown): FaultRequest {
  if (!isTwinObject(body)) throw invalidArgument('a fault is a JSON object {kind, module?, ms?, forMs?}');
  const unknown = Object.keys(body).find((key) => !['kind', 'module', 'ms', 'forMs'].includes(key));
  if (unknown !== undefined) throw invalidArgument(`"${unknown}" is not part of a fault {kind, module?, ms?, forMs?}`);
  const forMs = body['forMs'] === undefined ? undefined : integer(body, 'forMs', 1, MAX_FAULT_MS);
  return { fault: parseFault(body), forMs };
}

function parseFault(body: Readonly<Record<string, unknown>>): Fault {
  const kind = body['kind'];
  switch (kind) {
    case 'network':
    case 'twin':
      only(body, kind, ['module']);
      return { kind, module: requiredModule(body, kind) };
    case 'delay':
      return {
        kind,
        ms: integer(body, 'ms', 1, MAX_DELAY_MS),
        ...(body['module'] === undefined ? {} : { module: requiredModule(body, kind) }),
      };
    case 'clock':
      only(body, kind, ['ms']);
      return { kind, ms: integer(body, 'ms', -MAX_CLOCK_MS, MAX_CLOCK_MS) };
    case 'upstream':
    case 'disk':
      only(body, kind, []);
      return { kind };
    default:
      throw invalidArgument(`the kind of a fault is one of ${FAULT_KINDS.join(', ')}, not ${JSON.stringify(kind)}`);
  }
}

function only(body: Readonly<Record<string, unknown>>, kind: string, allowed: readonly string[]): void {
  const extra = ['module', 'ms'].find((key) => body[key] !== undefined && !allowed.includes(key));
  if (extra !== undefined) throw invalidArgument(`the fault "${kind}" has no "${extra}"`);
}

function requiredModule(body: Readonly<Record<string, unknown>>, kind: string): string {
  const { module } = body;
  if (typeof module !== 'string' || module === '') throw invalidArgument(`the fault "${kind}" needs a module`);
  return module;
}

function integer(body: Readonly<Record<string, unknown>>, key: string, min: number, max: number): number {
  const value = body[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidArgument(`"${key}" is a whole number of milliseconds from ${min} to ${max}`);
  }
  return value;
}
