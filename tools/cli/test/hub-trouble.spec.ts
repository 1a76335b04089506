import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { findHub, writeConnection, type Hub } from '@vantage/hub';
import { EdgeRuntime } from '@vantage/local-edge';

jest.setTimeout(60_000);

/** What stands between the operator and a real API, and does to the next requests what a hub on a bad day does. */
type Trouble = (request: IncomingMessage, response: ServerResponse, pass: (isAnswered?: boolean) => void) => void;

let work: string;
let runtime: EdgeRuntime;
let between: https.Server;
let hub: Hub;
let troubles: Trouble[] = [];
let calls: string[] = [];
let said = '';

const fails =
  (status: number, body: string): Trouble =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ Message: body }));
  };
const breaksOff: Trouble = (request) => void request.socket.destroy();
const doesItAndBreaksOff: Trouble = (_request, _response, pass) => pass(false);

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-trouble-'));
  runtime = new EdgeRuntime({ stateDir: work, resolveImage: () => ({ command: process.execPath, args: ['-e', '0'] }) });
  await runtime.start();
  const certificate = (name: string): Buffer => readFileSync(path.join(work, 'certs', name));
  between = https.createServer(
    { key: certificate('server.key.pem'), cert: certificate('server.pem') },
    (request, response) => {
      calls.push(`${request.method ?? ''} ${request.url?.split('?')[0] ?? ''}`);
      const pass = (isAnswered = true): void => {
        const { method, url, headers } = request;
        const onward = {
          host: '127.0.0.1',
          port: runtime.ports.api,
          ca: certificate('ca.pem'),
          method,
          path: url,
          headers,
        };
        request.pipe(
          https.request(onward, (answer) => {
            if (!isAnswered) return void answer.resume().on('end', () => request.socket.destroy());
            response.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.pipe(response);
          }),
        );
      };
      const trouble = troubles.shift();
      if (trouble) trouble(request, response, pass);
      else pass();
    },
  );
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  await writeConnection(work, {
    pid: process.pid,
    deviceId: runtime.deviceId,
    apiPort: (between.address() as AddressInfo).port,
    serviceConnectionString: runtime.serviceConnectionString,
    caFile: runtime.caFile,
  });
  hub = await findHub({ state: work }, {});
});
afterAll(async () => {
  between.closeAllConnections();
  between.close();
  await runtime.stop();
  rmSync(work, { recursive: true, force: true });
});
beforeEach(() => {
  troubles = [];
  calls = [];
  said = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => (said += String(text)) !== '');
});

test.each<[string, Trouble[]]>([
  [
    'throttles',
    [fails(429, 'ErrorCode:ThrottlingException;slow down'), fails(429, 'ErrorCode:ThrottlingException;slow down')],
  ],
  ['is out of order for a moment', [fails(503, 'ErrorCode:ServiceUnavailable;busy')]],
  ['breaks off', [breaksOff]],
])('a hub that %s is asked again, and that is said', async (_what, some) => {
  troubles = [...some];
  expect(await hub.moduleTwin('$edgeAgent')).toMatchObject({ moduleId: '$edgeAgent' });
  expect(calls).toHaveLength(some.length + 1);
  expect(said.split('asking again')).toHaveLength(some.length + 1);
});

test('a hub that throttles on and on ends the attempts', async () => {
  troubles = Array.from({ length: 9 }, () => fails(429, 'ErrorCode:ThrottlingException;slow down'));
  await expect(hub.moduleTwin('$edgeAgent')).rejects.toMatchObject({
    code: 'HUB_CALL_FAILED',
    message: expect.stringContaining('slow down'),
  });
  expect(calls).toHaveLength(5);
});

test.each<[string, Trouble, string]>([
  ['does not know the key', fails(401, 'ErrorCode:IotHubUnauthorizedAccess;no'), 'HUB_REFUSED'],
  ['has another twin by now', fails(412, 'ErrorCode:PreconditionFailed;etag'), 'TWIN_CHANGED'],
  ['does not know the module', fails(404, 'ErrorCode:DeviceNotFound;none'), 'MODULE_UNKNOWN'],
])('a hub that %s is not asked again', async (_what, trouble, code) => {
  troubles = [trouble];
  await expect(hub.moduleTwin('ai-pipeline')).rejects.toMatchObject({ code });
  expect(calls).toHaveLength(1);
});

test("a change whose answer is lost is not somebody else's; one of somebody else is", async () => {
  const before = await hub.moduleTwin('$edgeHub');
  troubles = [doesItAndBreaksOff];
  const changed = await hub.patchModuleTwin('$edgeHub', { a: { b: [1] }, gone: null }, before.etag);
  expect(changed.properties.desired['a']).toEqual({ b: [1] });
  expect(calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(2);
  troubles = [doesItAndBreaksOff];
  await expect(hub.patchModuleTwin('$edgeHub', { a: { b: [2] } }, before.etag)).rejects.toMatchObject({
    code: 'TWIN_CHANGED',
  });
  expect((await hub.moduleTwin('$edgeHub')).properties.desired['a']).toEqual({ b: [1] });
  // Of the very attempt that failed nobody lost an answer.
  troubles = [fails(412, 'ErrorCode:PreconditionFailed;etag')];
  await expect(hub.patchModuleTwin('$edgeHub', { a: { b: [1] } }, before.etag)).rejects.toMatchObject({
    code: 'TWIN_CHANGED',
  });
});
