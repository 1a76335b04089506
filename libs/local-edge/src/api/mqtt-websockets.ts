import type { IncomingMessage } from 'node:http';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** Takes a stream on which a client is going to speak MQTT. */
export type AcceptStream = (stream: Duplex, request: IncomingMessage) => void;

const PATH = '/$iothub/websocket';
const SUB_PROTOCOL = 'mqtt';
/** A frame carries a packet or a part of one; the hub's limit of a packet is below this. */
const MAX_FRAME_BYTES = 512 * 1024;

/** MQTT over WebSockets on an HTTPS server, at the path and with the sub-protocol of IoT Hub (contract A.1). */
export class MqttWebSockets {
  readonly #server: WebSocketServer;
  readonly #sockets = new Set<Duplex>();

  constructor(https: Server, accept: AcceptStream, logger: Logger) {
    this.#server = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handleProtocols: () => SUB_PROTOCOL,
    });
    https.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', (error) => {
        logger.debug('a WebSocket failed', { reason: messageOf(error) });
      });
      const refused = refusal(request);
      if (refused !== undefined) {
        logger.warn('a WebSocket was refused', { reason: refused.reason });
        socket.end(`HTTP/1.1 ${refused.status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        accept(createWebSocketStream(webSocket), request);
      });
    });
  }

  /** Breaks what is open. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

function refusal(request: IncomingMessage): { readonly status: string; readonly reason: string } | undefined {
  const path = request.url?.split('?')[0];
  if (decoded(path) !== PATH) return { status: '404 Not Found', reason: `its path is ${String(path)}, not ${PATH}` };
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  if (offered.includes(SUB_PROTOCOL)) return undefined;
  return { status: '400 Bad Request', reason: `it does not offer the sub-protocol ${SUB_PROTOCOL}` };
}

function decoded(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : decodeURIComponent(path);
  } catch {
    return path;
  }
}
