import type { IncomingMessage } from 'node:http';
import { isTwinObject, type TwinObject } from '@vantage/contracts';
import { etagMismatch, invalidArgument } from '../errors.ts';
import type { HubAccess } from '../hub/access.ts';
import type { ClientState } from '../hub/hub-state.ts';
import type { MethodCall, MethodResult } from '../hub/methods.ts';
import { identityName, type Identity, type IdentityStore } from '../state/identities.ts';
import type { TwinStore, TwinUpdate } from '../twin/store.ts';
import { identityDocument, nameOf, twinDocument } from './documents.ts';
import { readJson, type HttpReply } from './http.ts';
import { parseMethodCall } from './module-methods.ts';

/** What the service API works on. */
export interface ServiceBackend {
  readonly access: HubAccess;
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  clientState(name: string): ClientState | undefined;
  invokeMethod(name: string, call: MethodCall): Promise<MethodResult>;
  /** Applies the `modulesContent` of a deployment to the edge device. */
  applyDeployment(deviceId: string, modulesContent: unknown): Promise<void>;
  /** Removes a device with its modules, or a module, with twins and sessions. */
  removeIdentity(deviceId: string, moduleId: string): Promise<void>;
}

interface Call {
  readonly backend: ServiceBackend;
  readonly request: IncomingMessage;
  /** The parts of the path that the route names, decoded; a module that is not named is ''. */
  readonly deviceId: string;
  readonly moduleId: string;
  /** The ETag asked for, without quotes. */
  readonly ifMatch: string | undefined;
}

type Handler = (call: Call) => Promise<HttpReply> | HttpReply;

const DEVICE = '/devices/([^/]+)';
const MODULE = `${DEVICE}/modules/([^/]+)`;
const TWIN = '/twins/([^/]+)(?:/modules/([^/]+))?';

const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/devices\/?$/, listDevices],
  ['POST', /^\/devices\/query\/?$/, query],
  ['GET', /^\/statistics\/devices\/?$/, statistics],
  ['POST', new RegExp(`^${DEVICE}/applyConfigurationContent/?$`), applyConfiguration],
  ['GET', new RegExp(`^${DEVICE}/modules/?$`), listModules],
  ...[DEVICE, MODULE].flatMap((path): [string, RegExp, Handler][] => [
    ['GET', new RegExp(`^${path}/?$`), getIdentity],
    ['PUT', new RegExp(`^${path}/?$`), putIdentity],
    ['DELETE', new RegExp(`^${path}/?$`), deleteIdentity],
  ]),
  ['GET', new RegExp(`^${TWIN}/?$`), getTwin],
  ['PATCH', new RegExp(`^${TWIN}/?$`), changeTwin],
  ['PUT', new RegExp(`^${TWIN}/?$`), changeTwin],
  ['POST', new RegExp(`^${TWIN}/methods/?$`), invokeMethod],
];

/** Answers one request of a service, as IoT Hub would; throws the library's errors. */
export async function answerService(request: IncomingMessage, backend: ServiceBackend): Promise<HttpReply> {
  backend.access.checkService(request.headers.authorization ?? '');
  const { pathname } = new URL(request.url ?? '/', 'https://hub');
  for (const [method, path, handler] of ROUTES) {
    const found = request.method === method ? path.exec(pathname) : null;
    if (found === null) continue;
    const [deviceId = '', moduleId = ''] = found.slice(1).map((part: string | undefined) => decodePart(part ?? ''));
    const ifMatch = request.headers['if-match']?.replace(/^"(.*)"$/, '$1');
    return handler({ backend, request, deviceId, moduleId, ifMatch });
  }
  return {
    status: 404,
    body: { Message: `ErrorCode:NotFound;${request.method ?? ''} ${pathname} is not part of this hub` },
  };
}

function listDevices({ backend }: Call): HttpReply {
  return { status: 200, body: backend.identities.devices().map((identity) => describe(backend, identity)) };
}

function listModules({ backend, deviceId }: Call): HttpReply {
  backend.identities.require(deviceId);
  return { status: 200, body: backend.identities.modules(deviceId).map((identity) => describe(backend, identity)) };
}

function statistics({ backend }: Call): HttpReply {
  const devices = backend.identities.devices();
  const enabled = devices.filter((device) => device.status === 'enabled').length;
  const body = {
    totalDeviceCount: devices.length,
    enabledDeviceCount: enabled,
    disabledDeviceCount: devices.length - enabled,
  };
  return { status: 200, body };
}

function getIdentity({ backend, deviceId, moduleId }: Call): HttpReply {
  return { status: 200, body: describe(backend, backend.identities.require(deviceId, moduleId)) };
}

async function putIdentity({ backend, request, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  const body = await readObject(request);
  const authentication = isTwinObject(body['authentication']) ? body['authentication'] : {};
  const keys = isTwinObject(authentication['symmetricKey']) ? authentication['symmetricKey'] : {};
  const capabilities = isTwinObject(body['capabilities']) ? body['capabilities'] : undefined;
  const wanted: Partial<Identity> & { deviceId: string; moduleId: string } = {
    deviceId,
    moduleId,
    ...(typeof keys['primaryKey'] === 'string' ? { primaryKey: keys['primaryKey'] } : {}),
    ...(typeof keys['secondaryKey'] === 'string' ? { secondaryKey: keys['secondaryKey'] } : {}),
    ...(typeof body['managedBy'] === 'string' ? { managedBy: body['managedBy'] } : {}),
    ...(body['status'] === 'enabled' || body['status'] === 'disabled' ? { status: body['status'] } : {}),
    ...(capabilities === undefined ? {} : { edgeEnabled: capabilities['iotEdge'] === true }),
  };
  if (ifMatch === undefined) {
    return { status: 200, body: describe(backend, await backend.identities.create(wanted)) };
  }
  checkEtag(backend.identities.require(deviceId, moduleId), ifMatch);
  return { status: 200, body: describe(backend, await backend.identities.update(wanted)) };
}

async function deleteIdentity({ backend, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  checkEtag(backend.identities.require(deviceId, moduleId), ifMatch);
  await backend.removeIdentity(deviceId, moduleId);
  return { status: 204 };
}

function getTwin({ backend, deviceId, moduleId }: Call): HttpReply {
  return { status: 200, body: describeTwin(backend, backend.identities.require(deviceId, moduleId)) };
}

async function changeTwin({ backend, request, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  const identity = backend.identities.require(deviceId, moduleId);
  const body = await readObject(request);
  const properties = isTwinObject(body['properties']) ? body['properties'] : {};
  const desired = plain(properties['desired'], 'properties.desired');
  const tags = plain(body['tags'], 'tags');
  const update: TwinUpdate = { ...(desired === undefined ? {} : { desired }), ...(tags === undefined ? {} : { tags }) };
  if (request.method === 'PUT') await backend.twins.replace(nameOf(identity), update, ifMatch);
  else await backend.twins.patch(nameOf(identity), update, ifMatch);
  return { status: 200, body: describeTwin(backend, identity) };
}

async function invokeMethod({ backend, request, deviceId, moduleId }: Call): Promise<HttpReply> {
  backend.identities.require(deviceId, moduleId);
  const call = parseMethodCall(await readJson(request));
  return { status: 200, body: await backend.invokeMethod(identityName(deviceId, moduleId), call) };
}

async function applyConfiguration({ backend, request, deviceId }: Call): Promise<HttpReply> {
  backend.identities.require(deviceId);
  const body = await readObject(request);
  await backend.applyDeployment(deviceId, body['modulesContent']);
  return { status: 204 };
}

/** Only whole tables for now: `SELECT * FROM devices` and `SELECT * FROM devices.modules`. */
async function query({ backend, request }: Call): Promise<HttpReply> {
  const text = (await readObject(request))['query'];
  const table = /^\s*select\s+\*\s+from\s+(devices(?:\.modules)?)\s*$/i.exec(typeof text === 'string' ? text : '')?.[1];
  if (table === undefined)
    throw invalidArgument('only SELECT * FROM devices and SELECT * FROM devices.modules are known');
  const { identities } = backend;
  const found =
    table.toLowerCase() === 'devices'
      ? identities.devices()
      : identities.devices().flatMap((device) => identities.modules(device.deviceId));
  const body = found.map((identity) => describeTwin(backend, identity));
  return { status: 200, body, headers: { 'x-ms-item-type': 'twin' } };
}

function describe(backend: ServiceBackend, identity: Identity): object {
  return identityDocument(identity, backend.clientState(nameOf(identity)));
}

function describeTwin(backend: ServiceBackend, identity: Identity): object {
  const name = nameOf(identity);
  return twinDocument(identity, backend.twins.get(name), backend.clientState(name));
}

function checkEtag(identity: Identity, ifMatch: string | undefined): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== identity.etag) throw etagMismatch(nameOf(identity));
}

/** The properties of a twin as a service sends them back: what the hub adds (`$version`, `$metadata`) is left out. */
function plain(value: unknown, path: string): TwinObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isTwinObject(value)) throw invalidArgument(`${path} is not an object`);
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')));
}

async function readObject(request: IncomingMessage): Promise<TwinObject> {
  const body = await readJson(request);
  if (!isTwinObject(body)) throw invalidArgument('the body is not a JSON object');
  return body;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidArgument(`"${text}" is not well percent-encoded`);
  }
}
