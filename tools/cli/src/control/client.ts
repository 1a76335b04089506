import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { VantageError, codeOf, isObject, messageOf } from '@vantage/contracts';
import type { ActiveFault, EdgeStatus, Fault } from '@vantage/local-edge';
import { readConnection, type LocalConnection } from '@vantage/hub';

/** No answer within this time: the runtime hangs. Does not bound streams that have begun. */
const ANSWER_MS = 15_000;

/** The control API of the runtime that `vantage up` started (`/vantage/...` on the port of its service API). */
export class ControlClient {
  readonly connection: LocalConnection;
  readonly #ca: string;

  private constructor(connection: LocalConnection, ca: string) {
    this.connection = connection;
    this.#ca = ca;
  }

  /** @throws VantageError RUNTIME_NOT_FOUND */
  static async open(stateFolder: string): Promise<ControlClient> {
    const connection = await readConnection(stateFolder);
    return new ControlClient(connection, await readFile(connection.caFile, 'utf8'));
  }

  status(): Promise<EdgeStatus> {
    return this.#call('GET', '/vantage/status') as Promise<EdgeStatus>;
  }

  faults(): Promise<ActiveFault[]> {
    return this.#call('GET', '/vantage/faults') as Promise<ActiveFault[]>;
  }

  setFault(fault: Fault, forMs: number | undefined): Promise<ActiveFault> {
    return this.#call('POST', '/vantage/faults', { ...fault, forMs }) as Promise<ActiveFault>;
  }

  /** Yields how many were cleared. */
  async clearFaults(kind: string | undefined, module: string | undefined): Promise<number> {
    const query = new URLSearchParams({ ...(kind && { kind }), ...(module && { module }) });
    return ((await this.#call('DELETE', `/vantage/faults?${query.toString()}`)) as { cleared: number }).cleared;
  }

  async restartBroker(): Promise<void> {
    await this.#call('POST', '/vantage/restart-broker');
  }

  /** Yields how many clients were thrown out. */
  async expireTokens(): Promise<number> {
    return ((await this.#call('POST', '/vantage/expire-tokens')) as { disconnected: number }).disconnected;
  }

  async killModule(module: string): Promise<void> {
    await this.#call('POST', `/vantage/modules/${encodeURIComponent(module)}/kill`);
  }

  async stop(): Promise<void> {
    await this.#call('POST', '/vantage/stop');
  }

  /** A call of IoT Hub's own API, which is on the same port (contract iot-edge-runtime E.1). */
  service(method: string, path: string, body?: object): Promise<unknown> {
    return this.#call(method, path, body);
  }

  /**
   * Lines of a stream (`/vantage/messages`, `/vantage/modules/<id>/log`) until it ends or `signal` aborts.
   * @throws VantageError RUNTIME_ENDED when the runtime goes away in the middle
   */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#send('GET', path, undefined);
    if (response.statusCode !== 200) throw await refusal(response);
    const close = (): void => void response.destroy();
    signal.addEventListener('abort', close, { once: true });
    let broken: unknown;
    response.on('error', (error) => (broken = error));
    const lines = createInterface({ input: response });
    // It ends by itself only where the answer does, not where it breaks off.
    response.once('close', () => {
      lines.close();
    });
    try {
      if (signal.aborted) return;
      yield* lines;
    } catch (error) {
      broken = error;
    } finally {
      signal.removeEventListener('abort', close);
      lines.close();
      response.destroy();
    }
    if (!signal.aborted && (broken !== undefined || !response.complete)) {
      throw new VantageError('RUNTIME_ENDED', 'the local runtime has ended', { cause: broken });
    }
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await this.#send(method, path, body);
    if ((response.statusCode ?? 500) >= 300) throw await refusal(response);
    const text = await readAll(response);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  }

  async #send(method: string, path: string, body: object | undefined): Promise<IncomingMessage> {
    const { apiPort } = this.connection;
    const request = https.request({
      host: '127.0.0.1',
      servername: 'localhost',
      port: apiPort,
      ca: this.#ca,
      method,
      path,
      agent: false,
      headers: { authorization: serviceToken(this.connection.serviceConnectionString) },
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)), ANSWER_MS);
    try {
      request.end(body === undefined ? undefined : JSON.stringify(body));
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    } catch (error) {
      const running = 'the local runtime does not answer; is "vantage up" still running?';
      const refused = codeOf(error) === 'ECONNREFUSED';
      throw new VantageError('RUNTIME_NOT_RUNNING', refused ? running : `${running} (${messageOf(error)})`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What the runtime said when it refused, without IoT Hub's `ErrorCode:...;` before it. */
async function refusal(response: IncomingMessage): Promise<VantageError> {
  const text = await readAll(response);
  let message = text;
  try {
    const body: unknown = JSON.parse(text);
    if (isObject(body) && typeof body['Message'] === 'string') message = body['Message'].replace(/^ErrorCode:\w+;/, '');
  } catch {
    // Not one of ours; the text says what it can.
  }
  return new VantageError('RUNTIME_REFUSED', message === '' ? `status ${response.statusCode ?? 0}` : message);
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** A token of the service policy, as `azure-iothub` makes it (contract iot-edge-runtime E.1). */
function serviceToken(connectionString: string): string {
  const parts = new Map(
    connectionString.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const sr = encodeURIComponent(parts.get('HostName') ?? '');
  const se = Math.floor(Date.now() / 1000) + 3600;
  const key = Buffer.from(parts.get('SharedAccessKey') ?? '', 'base64');
  const sig = encodeURIComponent(createHmac('sha256', key).update(`${sr}\n${se}`).digest('base64'));
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}&skn=${parts.get('SharedAccessKeyName') ?? ''}`;
}
