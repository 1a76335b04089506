import { codeOf, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { identityNotFound, invalidArgument } from '../errors.ts';
import type { WantedIdentity } from '../registry/hub-service.ts';
import { readTwinUpdate } from '../registry/jobs/read.ts';
import { identityName } from '../state/identities.ts';
import { twinEtag } from '../twin/store.ts';
import { checkEtag, DEVICE, MODULE, ok, readCount, readObject, type Call, type Route } from './calls.ts';
import { hubErrorOf } from './hub-errors.ts';
import { readJson, type HttpReply } from './http.ts';

const MAX_BULK = 100;
const MAX_LIST = 1000;

export const IDENTITY_ROUTES: readonly Route[] = [
  ['GET', /^\/devices\/?$/, 'RegistryRead', listDevices],
  ['POST', /^\/devices\/?$/, 'RegistryWrite', changeInBulk],
  ['GET', /^\/statistics\/devices\/?$/, 'RegistryRead', deviceStatistics],
  ['GET', /^\/statistics\/service\/?$/, 'ServiceConnect', serviceStatistics],
  ['GET', new RegExp(`^${DEVICE}/modules/?$`), 'RegistryRead', listModules],
  ...[DEVICE, MODULE].flatMap((path): Route[] => [
    ['GET', new RegExp(`^${path}/?$`), 'RegistryRead', getIdentity],
    ['PUT', new RegExp(`^${path}/?$`), 'RegistryWrite', putIdentity],
    ['DELETE', new RegExp(`^${path}/?$`), 'RegistryWrite', deleteIdentity],
  ]),
];

function listDevices({ hub, parameters }: Call): HttpReply {
  const top = readCount(parameters.get('top'), 'top', MAX_LIST) ?? MAX_LIST;
  return ok(
    hub.identities
      .devices()
      .slice(0, top)
      .map((identity) => hub.documents.identity(identity)),
  );
}

function listModules({ hub, deviceId }: Call): HttpReply {
  hub.identities.require(deviceId);
  return ok(hub.identities.modules(deviceId).map((identity) => hub.documents.identity(identity)));
}

function deviceStatistics({ hub }: Call): HttpReply {
  const devices = hub.identities.devices();
  const enabled = devices.filter((device) => device.status === 'enabled').length;
  return ok({
    totalDeviceCount: devices.length,
    enabledDeviceCount: enabled,
    disabledDeviceCount: devices.length - enabled,
  });
}

function serviceStatistics({ hub }: Call): HttpReply {
  const connected = hub.identities
    .devices()
    .filter((device) => hub.clientState(device.deviceId)?.status === 'Connected');
  return ok({ connectedDeviceCount: connected.length });
}

function getIdentity({ hub, deviceId, moduleId }: Call): HttpReply {
  return ok(hub.documents.identity(hub.identities.require(deviceId, moduleId)));
}

async function putIdentity({ hub, request, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  const body = await readObject(request);
  for (const [key, id] of [
    ['deviceId', deviceId],
    ['moduleId', moduleId],
  ] as const) {
    if (typeof body[key] === 'string' && body[key] !== id)
      throw invalidArgument(`the body names the ${key} "${body[key]}"`);
  }
  const wanted = readIdentity(deviceId, moduleId, body);
  if (ifMatch === undefined) return ok(hub.documents.identity(await hub.createIdentity(wanted, body)));
  checkEtag(identityName(deviceId, moduleId), hub.identities.require(deviceId, moduleId).etag, ifMatch);
  return ok(hub.documents.identity(await hub.updateIdentity(wanted, body)));
}

async function deleteIdentity({ hub, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  checkEtag(identityName(deviceId, moduleId), hub.identities.require(deviceId, moduleId).etag, ifMatch);
  await hub.removeIdentity(deviceId, moduleId);
  return { status: 204 };
}

/** What a service may set of a device or module. @throws VantageError EDGE_INVALID_ARGUMENT */
function readIdentity(deviceId: string, moduleId: string, body: TwinObject): WantedIdentity {
  const authentication = isTwinObject(body['authentication']) ? body['authentication'] : {};
  const keys = isTwinObject(authentication['symmetricKey']) ? authentication['symmetricKey'] : {};
  const capabilities = isTwinObject(body['capabilities']) ? body['capabilities'] : undefined;
  const { status, managedBy } = body;
  if (status !== undefined && status !== null && status !== 'enabled' && status !== 'disabled') {
    throw invalidArgument('status: enabled or disabled expected');
  }
  return {
    deviceId,
    moduleId,
    ...readKey('primaryKey', keys),
    ...readKey('secondaryKey', keys),
    ...(typeof managedBy === 'string' ? { managedBy } : {}),
    ...(status === 'enabled' || status === 'disabled' ? { status } : {}),
    ...(capabilities === undefined ? {} : { edgeEnabled: capabilities['iotEdge'] === true }),
  };
}

function readKey(name: 'primaryKey' | 'secondaryKey', keys: TwinObject): Partial<WantedIdentity> {
  const key = keys[name];
  if (typeof key !== 'string' || key === '') return {};
  const bytes = Buffer.from(key, 'base64');
  if (bytes.toString('base64') !== key || bytes.length < 16 || bytes.length > 64) {
    throw invalidArgument(`${name}: the base64 of 16 to 64 bytes expected`);
  }
  return { [name]: key };
}

/** Creates, changes or removes up to 100 devices; each for itself, what is wrong with one is told and stops no other. */
async function changeInBulk({ hub, request }: Call): Promise<HttpReply> {
  const items = await readJson(request);
  if (!Array.isArray(items) || items.length === 0 || items.length > MAX_BULK) {
    throw invalidArgument(`an array of 1 to ${MAX_BULK} devices expected`);
  }
  const errors: object[] = [];
  for (const item of items as unknown[]) {
    const body = isTwinObject(item) ? item : {};
    const deviceId = typeof body['id'] === 'string' ? body['id'] : '';
    const moduleId = typeof body['moduleId'] === 'string' ? body['moduleId'] : '';
    try {
      if (deviceId === '') throw invalidArgument('id is missing');
      await changeOne(hub, deviceId, moduleId, body);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      const { hubCode } = hubErrorOf(error);
      errors.push({
        deviceId,
        ...(moduleId === '' ? {} : { moduleId }),
        errorCode: hubCode,
        errorStatus: messageOf(error),
      });
    }
  }
  const result = { isSuccessful: errors.length === 0, errors, warnings: [] };
  if (errors.length === 0) return ok(result);
  const Message = `ErrorCode:BulkRegistryOperationFailure;${errors.length} of ${items.length} devices failed`;
  return { status: 400, body: { ...result, Message }, headers: { 'iothub-errorcode': 'BulkRegistryOperationFailure' } };
}

async function changeOne(hub: Call['hub'], deviceId: string, moduleId: string, body: TwinObject): Promise<void> {
  const mode = textOf(body['importMode'] ?? 'createOrUpdate').toLowerCase();
  const found = /^(create|update|createorupdate|delete|updatetwin)(ifmatchetag)?$/.exec(mode);
  if (found === null || mode === 'createifmatchetag') throw invalidArgument(`importMode "${mode}" is not known`);
  const [, action, conditional] = found;
  const name = identityName(deviceId, moduleId);
  const stored = hub.identities.get(deviceId, moduleId);
  if (stored === undefined && action !== 'create' && action !== 'createorupdate') throw identityNotFound(name);
  const given = body['eTag'] ?? body['etag'] ?? body['ETag'];
  const etag = conditional === undefined ? undefined : textOf(given).replaceAll('"', '');
  if (action === 'updatetwin') {
    await hub.changeTwin(hub.identities.require(deviceId, moduleId), readTwinUpdate(body), 'merge', etag);
    return;
  }
  if (stored !== undefined) checkEtag(name, stored.etag, etag);
  if (action === 'delete') {
    await hub.removeIdentity(deviceId, moduleId);
    return;
  }
  const wanted = readIdentity(deviceId, moduleId, body);
  const identity =
    stored === undefined || action === 'create'
      ? await hub.createIdentity(wanted, body)
      : await hub.updateIdentity(wanted, body);
  const update = readTwinUpdate(body);
  if (update.desired !== undefined || update.tags !== undefined) {
    await hub.changeTwin(identity, update, 'merge', twinEtag(hub.twins.get(name)));
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
