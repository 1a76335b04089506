/** Bare aedes behind TLS, everything in memory: the reference of P7. */
import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { EdgeRuntime } from '@vantage/local-edge';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BrokerInfo } from './broker.ts';

const [folder = ''] = process.argv.slice(2);
// A runtime makes a certificate like ours, so that both sides do the same handshake and cipher.
const runtime = new EdgeRuntime({ stateDir: folder });
await runtime.start();
await runtime.stop();
const pem = (name: string): Promise<string> => readFile(path.join(folder, 'certs', name), 'utf8');

const aedes = await Aedes.createBroker({});
const server = createServer({ key: await pem('server.key.pem'), cert: await pem('server.pem') }, (socket) => {
  aedes.handle(socket);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const info: BrokerInfo = {
  port: (server.address() as AddressInfo).port,
  ca: await pem('ca.pem'),
  sender: { clientId: 'a', topic: 'a/out' },
  receiver: { clientId: 'b', filter: 'a/out' },
};
process.stdout.write(`${JSON.stringify(info)}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  aedes.close(() => server.close());
});
