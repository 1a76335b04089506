import type { IncomingMessage } from 'node:http';
import { isTwinObject, type TwinObject } from '@vantage/contracts';
import { etagMismatch, invalidArgument } from '../errors.ts';
import type { HubService } from '../registry/hub-service.ts';
import type { Permission } from '../registry/policies.ts';
import { readJson, type HttpReply } from './http.ts';

/** One request of a service, taken apart. */
export interface Call {
  readonly hub: HubService;
  readonly request: IncomingMessage;
  /** The parts of the path that the route names, decoded; one that is not there is ''. */
  readonly deviceId: string;
  readonly moduleId: string;
  readonly parameters: URLSearchParams;
  /** The ETag asked for, without quotes. */
  readonly ifMatch: string | undefined;
}

export type Handler = (call: Call) => Promise<HttpReply> | HttpReply;

/** A call of the service API. Where a path names no device, its first part is given as `deviceId` all the same. */
export type Route = readonly [method: string, path: RegExp, needs: Permission, handler: Handler];

export const DEVICE = '/devices/([^/]+)';
export const MODULE = `${DEVICE}/modules/([^/]+)`;

export const ok = (body: unknown): HttpReply => ({ status: 200, body });

/** @throws VantageError EDGE_INVALID_ARGUMENT */
export async function readObject(request: IncomingMessage): Promise<TwinObject> {
  const body = await readJson(request);
  if (!isTwinObject(body)) throw invalidArgument('the body is not a JSON object');
  return body;
}

/** @throws VantageError EDGE_ETAG_MISMATCH */
export function checkEtag(name: string, stored: string, wanted: string | undefined): void {
  if (wanted !== undefined && wanted !== '*' && wanted !== stored) throw etagMismatch(name);
}

/** A whole number from 1 to `most` in a header or parameter. @throws VantageError EDGE_INVALID_ARGUMENT */
export function readCount(value: string | string[] | null | undefined, name: string, most: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw invalidArgument(`${name}: a whole number from 1 to ${most} expected`);
  }
  return count;
}

/** A part of a path. @throws VantageError EDGE_INVALID_ARGUMENT */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidArgument(`"${text}" is not well percent-encoded`);
  }
}
