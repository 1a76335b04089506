import { messageOf } from '@vantage/contracts';
import { invalidArgument, methodTargetOffline, methodTimeout, notRunning } from '../errors.ts';
import { SESSION_GRACE_MS, type Connections } from './connections.ts';

/** A direct method call (contract iot-edge-runtime B.6). */
export interface MethodCall {
  readonly methodName: string;
  /** Any JSON value; absent is sent as null. */
  readonly payload?: unknown;
  /** How long the target may take to answer. Default 30 000. */
  readonly responseTimeoutMs?: number;
  /** How long to wait for the target to be there. Default 0. */
  readonly connectTimeoutMs?: number;
}

export interface MethodResult {
  readonly status: number;
  readonly payload: unknown;
}

/** A method that the runtime itself answers, for `$edgeAgent`. */
export type LocalMethodHandler = (methodName: string, payload: unknown) => Promise<MethodResult>;

const MAX_NAME_LENGTH = 100;
const MAX_PAYLOAD_BYTES = 128 * 1024;
const DEFAULT_RESPONSE_TIMEOUT_MS = 30_000;

/** Most calls under way at once; more are refused. */
const MAX_CALLS = 10_000;

interface PendingCall {
  readonly target: string;
  readonly resolve: (result: MethodResult) => void;
  readonly reject: (error: Error) => void;
}

interface Waiter {
  readonly target: string;
  readonly go: () => void;
  readonly reject: (error: Error) => void;
}

/** Direct methods: hub to module, and module to module. */
export class DirectMethods {
  readonly #connections: Connections;
  readonly #pending = new Map<string, PendingCall>();
  readonly #waiting = new Set<Waiter>();
  readonly #local = new Map<string, LocalMethodHandler>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #requestId = 0;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Answers the methods of one module inside the runtime. */
  serveLocally(target: string, handler: LocalMethodHandler): void {
    this.#local.set(target, handler);
  }

  /**
   * Calls a method. `target`: `D` or `D/M`.
   * @throws VantageError EDGE_INVALID_ARGUMENT, EDGE_METHOD_TARGET_OFFLINE, EDGE_METHOD_TIMEOUT
   */
  async invoke(target: string, call: MethodCall): Promise<MethodResult> {
    const payload = payloadText(call.payload);
    if (!call.methodName.isWellFormed()) throw invalidArgument('the method name is not well-formed text');
    if (call.methodName === '' || call.methodName.length > MAX_NAME_LENGTH) {
      throw invalidArgument(`a method name of 1 to ${MAX_NAME_LENGTH} characters expected`);
    }
    if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
      throw invalidArgument(`the payload of a method is larger than ${MAX_PAYLOAD_BYTES} bytes`);
    }
    const local = this.#local.get(target);
    if (local !== undefined) return local(call.methodName, call.payload ?? null);
    if (this.#pending.size + this.#waiting.size >= MAX_CALLS) {
      throw invalidArgument(`more than ${MAX_CALLS} method calls are under way`);
    }
    await this.#untilReady(target, call.connectTimeoutMs ?? 0);
    return this.#send(target, call, payload);
  }

  /** A client has begun to listen to methods. */
  ready(target: string): void {
    for (const waiter of this.#waiting) if (waiter.target === target) waiter.go();
  }

  /** A client answered a call. Answers that nobody waits for, or of another client, are passed over. */
  answered(target: string, requestId: string, status: number, body: Buffer): void {
    const call = this.#pending.get(requestId);
    if (call?.target === target) call.resolve({ status, payload: parsePayload(body) });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const { reject } of [...this.#pending.values(), ...this.#waiting]) reject(notRunning());
    this.#pending.clear();
    this.#waiting.clear();
  }

  #untilReady(target: string, connectTimeoutMs: number): Promise<void> {
    if (this.#connections.get(target)?.ready.has('methods') === true) return Promise.resolve();
    // A client that has just come back with its session is waited for, whatever the caller asked.
    const graceMs = this.#connections.listensToMethods(target) ? SESSION_GRACE_MS + 500 : 0;
    const timeoutMs = Math.max(connectTimeoutMs, graceMs);
    if (timeoutMs === 0) return Promise.reject(methodTargetOffline(target));
    return new Promise((resolve, reject) => {
      const waiter = {
        target,
        go: () => {
          this.#waiting.delete(waiter);
          this.#clear(timer);
          resolve();
        },
        reject,
      };
      const timer = this.#after(timeoutMs, () => {
        this.#waiting.delete(waiter);
        reject(methodTargetOffline(target));
      });
      this.#waiting.add(waiter);
    });
  }

  #send(target: string, call: MethodCall, payload: string): Promise<MethodResult> {
    this.#requestId += 1;
    const requestId = this.#requestId.toString(16);
    return new Promise((resolve, reject) => {
      const timer = this.#after(call.responseTimeoutMs ?? DEFAULT_RESPONSE_TIMEOUT_MS, () => {
        this.#pending.delete(requestId);
        reject(methodTimeout(target, call.methodName));
      });
      this.#pending.set(requestId, {
        target,
        reject,
        resolve: (result) => {
          this.#pending.delete(requestId);
          this.#clear(timer);
          resolve(result);
        },
      });
      const topic = `$iothub/methods/POST/${topicLevel(call.methodName)}/?$rid=${requestId}`;
      if (this.#connections.send(target, topic, payload, 0) === undefined) {
        this.#pending.delete(requestId);
        this.#clear(timer);
        reject(methodTargetOffline(target));
      }
    });
  }

  #after(ms: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #clear(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}

/** The name as it stands, since the SDK decodes nothing; encoded is only what a topic cannot hold or would split it. */
function topicLevel(name: string): string {
  return name.replace(/[\u0000-\u001f/?+#]/g, encodeURIComponent);
}

function payloadText(payload: unknown): string {
  try {
    return JSON.stringify(payload ?? null);
  } catch (error) {
    throw invalidArgument(`the payload of a method cannot be written as JSON: ${messageOf(error)}`, error);
  }
}

function parsePayload(body: Buffer): unknown {
  const text = body.toString('utf8');
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    return { unreadable: messageOf(error) };
  }
}
