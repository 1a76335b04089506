/** The local edge runtime with modules `a` and `b`, and a route from the one to the other: our side of P7. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { EdgeRuntime } from '@vantage/local-edge';
import type { BrokerInfo, ClientLogin } from './broker.ts';

const HUB = 'vantage-hub.local';
const [stateDir = ''] = process.argv.slice(2);
const runtime = new EdgeRuntime({ stateDir, hubHostName: HUB });
await runtime.start();
const { deviceId, ports } = runtime;
await runtime.applyDeployment({
  $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', runtime: {}, systemModules: {}, modules: {} } },
  $edgeHub: {
    'properties.desired': {
      schemaVersion: '1.1',
      routes: { r: 'FROM /messages/modules/a/outputs/out INTO BrokeredEndpoint("/modules/b/inputs/in")' },
      storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
    },
  },
});
const ca = await readFile(runtime.caFile, 'utf8');

function token(resource: string, key: string, policy = ''): string {
  const audience = encodeURIComponent(resource);
  const expiry = Math.floor(Date.now() / 1000) + 3600;
  const signature = createHmac('sha256', Buffer.from(key, 'base64')).update(`${audience}\n${expiry}`).digest('base64');
  return `SharedAccessSignature sr=${audience}&sig=${encodeURIComponent(signature)}&se=${expiry}${policy && `&skn=${policy}`}`;
}

/** Makes a module through the service API, with a key of ours. */
async function login(moduleId: string): Promise<ClientLogin> {
  const key = randomBytes(32).toString('base64');
  const [, host = '', policy = '', serviceKey = ''] =
    /^HostName=(.*?);SharedAccessKeyName=(.*?);SharedAccessKey=(.*)$/.exec(runtime.serviceConnectionString) ?? [];
  const request = https.request({
    host: '127.0.0.1',
    servername: 'localhost',
    port: ports.api,
    ca,
    method: 'PUT',
    path: `/devices/${deviceId}/modules/${moduleId}?api-version=2021-04-12`,
    headers: { authorization: token(host, serviceKey, policy) },
  });
  const symmetricKey = { primaryKey: key, secondaryKey: key };
  request.end(JSON.stringify({ deviceId, moduleId, authentication: { type: 'sas', symmetricKey } }));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  const body = await text(answer);
  if (answer.statusCode !== 200) throw new Error(`module ${moduleId}: ${answer.statusCode} ${body}`);
  return {
    clientId: `${deviceId}/${moduleId}`,
    username: `${HUB}/${deviceId}/${moduleId}/?api-version=2021-04-12`,
    password: token(`${HUB}/devices/${deviceId}/modules/${moduleId}`, key),
  };
}

const info: BrokerInfo = {
  port: ports.mqtt,
  ca,
  sender: { ...(await login('a')), topic: `devices/${deviceId}/modules/a/messages/events/%24.on=out/` },
  receiver: { ...(await login('b')), filter: `devices/${deviceId}/modules/b/inputs/#` },
};
process.stdout.write(`${JSON.stringify(info)}\n`);
process.stdin.resume();
process.stdin.once('end', () => void runtime.stop());
