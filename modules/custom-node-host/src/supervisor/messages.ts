import type { JsonObject } from '@vantage/contracts';

/** Lines of JSON on file descriptor 3 of a node's process, in both directions; the first one to it is the setup. */
export interface ProcessSetup {
  readonly name: string;
  /** Absolute; of a built-in node its name. */
  readonly entry: string;
  readonly builtin: boolean;
  /** Folder of its code. */
  readonly folder: string;
  /** Folder that relative paths in the settings of a built-in node start from. */
  readonly root: string;
  readonly settings: JsonObject;
  readonly host: string;
  readonly port: number;
  readonly deadlineMs: number;
  /** For calls under way when it is told to end. */
  readonly drainMs: number;
  readonly memoryMiB: number;
  readonly maxInFlight: number;
  readonly token?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** After so many calls in a row that failed, calls are refused for a while. */
  readonly circuit: { readonly failures: number; readonly pauseMs: number };
}

/** To the process. */
export interface ToProcess {
  readonly drain: true;
}

/** `refused`: not tried, because too many were under way or the circuit was open. */
export type CallResult = 'ok' | 'failed' | 'deadline' | 'refused';

/** From the process. */
export type FromProcess =
  | { readonly ready: { readonly port: number } }
  | { readonly failed: string }
  | { readonly begin: number }
  | {
      /** The number of its `begin`; 0 for a refused call, which has none. */
      readonly end: number;
      readonly ms: number;
      readonly result: CallResult;
      readonly text?: string;
    }
  /** Calls that never came back hold every place. */
  | { readonly stuck: string }
  | { readonly circuit: 'open' | 'closed'; readonly text?: string };

const MAX_LINE = 64 * 1024;

/** Cuts a stream into lines of JSON; what is no JSON object or too long is passed over. */
export class JsonLines<T> {
  readonly #take: (message: T) => void;
  #rest = '';

  constructor(take: (message: T) => void) {
    this.#take = take;
  }

  push(chunk: Buffer | string): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE) this.#rest = '';
    for (const line of lines) {
      if (line === '' || line.length > MAX_LINE) continue;
      let message: unknown;
      try {
        message = JSON.parse(line);
      } catch {
        continue;
      }
      if (typeof message === 'object' && message !== null) this.#take(message as T);
    }
  }
}
