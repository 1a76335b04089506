import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const ATTEMPTS = 30;

/** Two UDP sockets on neighbouring ports, the even one for RTP, as RTSP clients expect. */
export async function openDatagramPair(host: string): Promise<{ rtp: Socket; rtcp: Socket }> {
  const type = host.includes(':') ? 'udp6' : 'udp4';
  for (let attempt = 1; ; attempt++) {
    const rtp = await bind(type, host, 0);
    const port = rtp.address().port;
    try {
      if (port % 2 === 1) throw new Error(`the system gave the odd port ${port}`);
      return { rtp, rtcp: await bind(type, host, port + 1) };
    } catch (error) {
      rtp.close();
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

async function bind(type: 'udp4' | 'udp6', host: string, port: number): Promise<Socket> {
  const socket = createSocket(type);
  try {
    socket.bind(port, host);
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  // Receiver reports come back here and are read by nobody; unreachable clients show as errors.
  socket.on('message', () => undefined).on('error', () => undefined);
  return socket;
}
