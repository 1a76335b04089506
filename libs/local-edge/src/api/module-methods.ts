import type { IncomingMessage } from 'node:http';
import { codeOf, isTwinObject } from '@vantage/contracts';
import { invalidArgument, unauthorized } from '../errors.ts';
import type { MethodCall } from '../hub/methods.ts';
import { identityName } from '../state/identities.ts';
import { readJson, type HttpReply } from './http.ts';
import type { HubService } from '../registry/hub-service.ts';

const CALLER_HEADER = 'x-ms-edge-moduleid';
const NOT_THERE: ReadonlySet<string> = new Set(['EDGE_METHOD_TARGET_OFFLINE', 'EDGE_IDENTITY_NOT_FOUND']);
const MAX_TIMEOUT_SEC = 300;
const MIN_RESPONSE_TIMEOUT_SEC = 5;

/** Whether a module makes this request, and not a service. */
export function isModuleCall(request: IncomingMessage): boolean {
  return request.headers[CALLER_HEADER] !== undefined;
}

/** A direct method from module to module (contract iot-edge-runtime B.6), with the caller's own token. */
export async function callFromModule(request: IncomingMessage, hub: HubService): Promise<HttpReply> {
  const [callerDevice = '', callerModule = '', ...rest] = String(request.headers[CALLER_HEADER]).split('/');
  if (callerDevice === '' || callerModule === '' || rest.length > 0) {
    throw invalidArgument(`the header ${CALLER_HEADER} is not <device>/<module>`);
  }
  if (hub.access.isCut(callerDevice, callerModule)) request.socket.destroy();
  hub.access.checkClient(callerDevice, callerModule, request.headers.authorization ?? '');
  const path = new URL(request.url ?? '/', 'https://hub').pathname;
  const [, device = '', module] = /^\/twins\/([^/]+)(?:\/modules\/([^/]+))?\/methods\/?$/.exec(path) ?? [];
  if (device === '' || request.method !== 'POST') throw invalidArgument(`modules cannot call ${path}`);
  const deviceId = decode(device);
  const moduleId = module === undefined ? '' : decode(module);
  if (deviceId !== callerDevice) throw unauthorized('a module can call methods on its own device only');
  const name = identityName(deviceId, moduleId);
  const call = parseMethodCall(await readJson(request));
  try {
    // One that does not exist yet is waited for like one that is away.
    return { status: 200, body: await hub.invokeMethod(name, call) };
  } catch (error) {
    if (!NOT_THERE.has(codeOf(error) ?? '')) throw error;
    return { status: 404, body: { message: `Client ${name} not found` } };
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalidArgument(`"${text}" is not well percent-encoded`, error);
  }
}

/** Reads the body of a method call and checks its limits. @throws VantageError EDGE_INVALID_ARGUMENT */
export function parseMethodCall(body: unknown): MethodCall {
  if (!isTwinObject(body) || typeof body['methodName'] !== 'string') throw invalidArgument('methodName expected');
  return {
    methodName: body['methodName'],
    payload: body['payload'] ?? null,
    responseTimeoutMs: seconds(
      body['responseTimeoutInSeconds'],
      'responseTimeoutInSeconds',
      MIN_RESPONSE_TIMEOUT_SEC,
      30,
    ),
    connectTimeoutMs: seconds(body['connectTimeoutInSeconds'], 'connectTimeoutInSeconds', 0, 0),
  };
}

function seconds(value: unknown, name: string, least: number, preset: number): number {
  if (value === undefined || value === null) return preset * 1000;
  if (typeof value !== 'number' || value < least || value > MAX_TIMEOUT_SEC) {
    throw invalidArgument(`${name} from ${least} to ${MAX_TIMEOUT_SEC} expected`);
  }
  return value * 1000;
}
