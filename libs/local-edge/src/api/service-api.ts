import type { IncomingMessage } from 'node:http';
import { notPartOfLocalHub } from '../errors.ts';
import type { HubService } from '../registry/hub-service.ts';
import { decodePart, type Route } from './calls.ts';
import { CONFIGURATION_ROUTES } from './configuration-calls.ts';
import { answerDevice, isDeviceCall } from './device-calls.ts';
import type { HttpReply } from './http.ts';
import { IDENTITY_ROUTES } from './identity-calls.ts';
import { JOB_ROUTES } from './job-calls.ts';
import { TWIN_ROUTES } from './twin-calls.ts';

/** The first that fits answers: `/devices/query` before `/devices/<id>`. */
const ROUTES: readonly Route[] = [...TWIN_ROUTES, ...IDENTITY_ROUTES, ...CONFIGURATION_ROUTES, ...JOB_ROUTES];

/** Answers one request of a service or device, as IoT Hub would; throws the library's errors. */
export async function answerService(request: IncomingMessage, hub: HubService): Promise<HttpReply> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://hub');
  if (isDeviceCall(pathname)) return answerDevice(request, pathname, hub);
  for (const [method, path, permission, handler] of ROUTES) {
    const found = request.method === method ? path.exec(pathname) : null;
    if (found === null) continue;
    hub.policies.check(request.headers.authorization ?? '', permission);
    const [deviceId = '', moduleId = ''] = found.slice(1).map((part: string | undefined) => decodePart(part ?? ''));
    // The Registry quotes every ETag, even the star; others send them bare.
    const ifMatch = request.headers['if-match']?.replace(/^"(.*)"$/, '$1');
    return handler({ hub, request, deviceId, moduleId, parameters: searchParams, ifMatch });
  }
  hub.policies.checkAny(request.headers.authorization ?? '');
  throw notPartOfLocalHub(`${request.method ?? ''} ${pathname}`);
}
