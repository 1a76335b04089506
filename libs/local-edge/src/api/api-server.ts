import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { Certificates } from '../state/certificates.ts';
import { listenOn } from '../hub/mqtt-server.ts';
import { MqttWebSockets, type AcceptStream } from './mqtt-websockets.ts';
import { answerControl, isControlCall, type ControlBackend } from './control-api.ts';
import { writeReply, type HttpReply } from './http.ts';
import { callFromModule, isModuleCall } from './module-methods.ts';
import { hubErrorOf } from './hub-errors.ts';
import { answerService } from './service-api.ts';
import type { HubService } from '../registry/hub-service.ts';

/**
 * The HTTPS server: the service API that `azure-iothub` speaks (contract iot-edge-runtime E.1), and direct methods from
 * module to module (B.6). MQTT over WebSockets comes to this port too, as it does in IoT Hub.
 */
export class ApiServer {
  readonly #server: Server;
  readonly #webSockets: MqttWebSockets;

  /** `acceptMqtt` gets what comes over WebSockets. */
  constructor(
    certificates: Certificates,
    hub: HubService,
    control: ControlBackend,
    acceptMqtt: AcceptStream,
    logger: Logger,
  ) {
    this.#server = createServer({ key: certificates.key, cert: certificates.cert }, (request, response) => {
      const answered = isControlCall(request)
        ? answerControl(request, response, control)
        : answer(request, hub).then((reply) => {
            writeReply(response, reply);
          });
      answered
        .catch((error: unknown) => {
          writeReply(response, refusal(request, error, logger));
        })
        .catch((error: unknown) => {
          logger.error('an answer of the service API could not be written', { error: messageOf(error) });
          response.destroy();
        });
    });
    this.#webSockets = new MqttWebSockets(this.#server, acceptMqtt, logger);
    this.#server.on('tlsClientError', (error) => {
      logger.debug('a TLS handshake failed', { error: error.message });
    });
  }

  /** 0 takes a free port. Yields the port. */
  listen(port: number, address: string): Promise<number> {
    return listenOn(this.#server, port, address, 'the service API');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    this.#webSockets.close();
    await closed;
  }
}

function answer(request: IncomingMessage, hub: HubService): Promise<HttpReply> {
  return isModuleCall(request) ? callFromModule(request, hub) : answerService(request, hub);
}

function refusal(request: IncomingMessage, error: unknown, logger: Logger): HttpReply {
  const { status, hubCode, number } = hubErrorOf(error);
  const fields = { method: request.method, path: request.url?.split('?')[0], status, reason: messageOf(error) };
  if (status >= 500 && status !== 504) logger.error('a request failed', fields);
  else logger.debug('a request was refused', fields);
  if (isModuleCall(request)) return { status, body: { message: messageOf(error) } };
  // The SDK reads up to the next semicolon.
  const text = messageOf(error).replaceAll(';', ',');
  return {
    status,
    body: { Message: `ErrorCode:${hubCode};${text}`, ExceptionMessage: `${number}`, errorCode: number },
    headers: { 'iothub-errorcode': hubCode },
  };
}
