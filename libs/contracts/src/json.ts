import { VantageError } from './errors.ts';

/** Any JSON value, immutable. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** `T` with every property, at every depth, readonly. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** True for objects that are neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses the body of a message or file. A UTF-8 byte order mark is skipped: controllers built on .NET send one (A.1).
 *
 * @throws VantageError `MESSAGE_NOT_JSON`; its text never quotes the body, which may hold credentials.
 */
export function parseJson(body: string | Uint8Array): unknown {
  const text = typeof body === 'string' ? body : new TextDecoder('utf-8').decode(body);
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text) as unknown;
  } catch {
    throw new VantageError(
      'MESSAGE_NOT_JSON',
      'the message body is not JSON; send one UTF-8 JSON document per message',
      {
        details: { characters: text.length },
      },
    );
  }
}
