import { invalidArgument } from '../errors.ts';
import { parseQuery } from '../registry/query/parser.ts';
import { MAX_PAGE_SIZE, runQuery } from '../registry/query/run.ts';
import { readTwinUpdate } from '../registry/jobs/read.ts';
import { identityName } from '../state/identities.ts';
import { DEVICE, ok, readCount, readObject, type Call, type Route } from './calls.ts';
import { readJson, type HttpReply } from './http.ts';
import { parseMethodCall } from './module-methods.ts';

const TWIN = '/twins/([^/]+)(?:/modules/([^/]+))?';

export const TWIN_ROUTES: readonly Route[] = [
  ['POST', /^\/devices\/query\/?$/, 'ServiceConnect', query],
  ['POST', new RegExp(`^${DEVICE}/applyConfigurationContent/?$`), 'RegistryWrite', setModules],
  ['GET', new RegExp(`^${TWIN}/?$`), 'ServiceConnect', getTwin],
  ['PATCH', new RegExp(`^${TWIN}/?$`), 'ServiceConnect', changeTwin],
  ['PUT', new RegExp(`^${TWIN}/?$`), 'ServiceConnect', changeTwin],
  ['POST', new RegExp(`^${TWIN}/methods/?$`), 'ServiceConnect', invokeMethod],
];

function getTwin({ hub, deviceId, moduleId }: Call): HttpReply {
  return ok(hub.documents.twin(hub.identities.require(deviceId, moduleId)));
}

async function changeTwin({ hub, request, deviceId, moduleId, ifMatch }: Call): Promise<HttpReply> {
  const identity = hub.identities.require(deviceId, moduleId);
  const update = readTwinUpdate(await readObject(request));
  await hub.changeTwin(identity, update, request.method === 'PUT' ? 'replace' : 'merge', ifMatch);
  return ok(hub.documents.twin(identity));
}

async function invokeMethod({ hub, request, deviceId, moduleId }: Call): Promise<HttpReply> {
  hub.identities.require(deviceId, moduleId);
  const call = parseMethodCall(await readJson(request));
  return ok(await hub.invokeMethod(identityName(deviceId, moduleId), call));
}

async function setModules({ hub, request, deviceId }: Call): Promise<HttpReply> {
  hub.identities.require(deviceId);
  await hub.setModules(deviceId, (await readObject(request))['modulesContent']);
  return { status: 204 };
}

async function query({ hub, request }: Call): Promise<HttpReply> {
  const { query: text } = await readObject(request);
  if (typeof text !== 'string') throw invalidArgument('query: a string expected');
  const parsed = parseQuery(text);
  const pageSize = readCount(request.headers['x-ms-max-item-count'], 'x-ms-max-item-count', MAX_PAGE_SIZE);
  const continuation = request.headers['x-ms-continuation'];
  const { container } = parsed;
  const rows = container === 'devices.jobs' ? hub.jobs.rows() : hub.documents.twins(container);
  const from = continuation === undefined ? undefined : String(continuation);
  const page = runQuery(parsed, rows, pageSize, from);
  const whole = container === 'devices.jobs' ? 'deviceJob' : 'twin';
  return {
    status: 200,
    body: page.items,
    headers: {
      'x-ms-item-type': parsed.select === '*' ? whole : 'raw',
      ...(page.continuation === undefined ? {} : { 'x-ms-continuation': page.continuation }),
    },
  };
}
