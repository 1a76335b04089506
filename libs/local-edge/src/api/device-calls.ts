import type { IncomingMessage } from 'node:http';
import type { HubService } from '../registry/hub-service.ts';
import { decodePart } from './calls.ts';
import { readJson, type HttpReply } from './http.ts';

const FILES = /^\/devices\/([^/]+)(?:\/modules\/([^/]+))?\/files(\/notifications(?:\/([^/]+))?)?\/?$/;

/** Whether a device or module calls for itself, with a token of its own: file upload. */
export const isDeviceCall = (path: string): boolean => FILES.test(path);

/**
 * File upload, as devices do it over HTTPS: `POST …/files` for a place to write to, `POST …/files/notifications` when it
 * is done. Older SDKs name the upload in the path, newer ones in the body.
 */
export async function answerDevice(request: IncomingMessage, path: string, hub: HubService): Promise<HttpReply> {
  const [, device = '', module = '', notification, id = ''] = FILES.exec(path) ?? [];
  const [deviceId, moduleId] = [decodePart(device), decodePart(module)];
  hub.access.checkClient(deviceId, moduleId, request.headers.authorization ?? '');
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
  const body = await readJson(request);
  if (notification === undefined) return { status: 200, body: await hub.uploads.begin(deviceId, moduleId, body) };
  await hub.uploads.end(deviceId, moduleId, body, decodePart(id));
  return { status: 204 };
}
