import { once } from 'node:events';
import net from 'node:net';

/** A port of 127.0.0.1 that nobody has at this moment, for who has to name one before it can listen. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/** Whether nobody has a port of 127.0.0.1 at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

async function listenOnce(port: number): Promise<number> {
  const server = net.createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: got } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return got;
}
