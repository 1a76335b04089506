import { isTwinObject, messageOf, VantageError } from '@vantage/contracts';
import { invalidArgument } from '../errors.ts';
import type { MethodResult } from '../hub/methods.ts';
import type { EdgeAgent } from './agent.ts';
import { parseMoment } from './logs/log-query.ts';
import { encode, modulesOf, parseLogRequest, readLog, type LogSource } from './logs/log-request.ts';
import { supportBundle } from './logs/support-bundle.ts';
import { putBlob, UploadTasks } from './logs/upload-tasks.ts';

export interface AgentMethodsOptions {
  readonly agent: Pick<EdgeAgent, 'restart'>;
  readonly source: LogSource;
  /** What the agent last reported, for a support bundle. */
  readonly reported: () => Readonly<Record<string, unknown>>;
  readonly now: () => number;
}

type Payload = Readonly<Record<string, unknown>>;

/** Most bytes of an answer, as IoT Hub has it. */
const MAX_ANSWER_BYTES = 128 * 1024;
/** edgeAgent answers no more lines a module than this; an upload takes them all. */
const MAX_TAIL = 500;

/** The direct methods of `$edgeAgent` (contract iot-edge-runtime C.4); their names in any case. */
export class AgentMethods {
  readonly #options: AgentMethodsOptions;
  readonly #uploads = new UploadTasks();

  constructor(options: AgentMethodsOptions) {
    this.#options = options;
  }

  /** Always answers: what is wrong is in `status` and `payload.message`. */
  async call(name: string, payload: unknown): Promise<MethodResult> {
    try {
      return await this.#call(name.toLowerCase(), isTwinObject(payload) ? payload : {});
    } catch (error) {
      const status = VantageError.is(error) && error.code === 'EDGE_INVALID_ARGUMENT' ? 400 : 500;
      return { status, payload: { message: messageOf(error) } };
    }
  }

  async stop(): Promise<void> {
    await this.#uploads.stop();
  }

  async #call(name: string, payload: Payload): Promise<MethodResult> {
    if (name === 'ping') return { status: 200, payload: null };
    const known = ['restartmodule', 'getmodulelogs', 'uploadmodulelogs', 'uploadsupportbundle', 'gettaskstatus'];
    if (!known.includes(name)) throw invalidArgument(`unknown method "${name}"`);
    checkSchema(payload);
    switch (name) {
      case 'restartmodule': {
        const id = textOf(payload, 'id');
        if (!(await this.#options.agent.restart(id))) throw new Error(`there is no module "${id}"`);
        return { status: 200, payload: null };
      }
      case 'getmodulelogs':
        return { status: 200, payload: await this.#getLogs(payload) };
      case 'uploadmodulelogs':
        return { status: 200, payload: this.#uploadLogs(payload) };
      case 'uploadsupportbundle':
        return { status: 200, payload: this.#uploadBundle(payload) };
      default:
        return { status: 200, payload: this.#uploads.status(textOf(payload, 'correlationId')) };
    }
  }

  async #getLogs(payload: Payload): Promise<object[]> {
    const { source, now } = this.#options;
    const request = parseLogRequest(payload, now());
    const answer: object[] = [];
    for (const { id, log, filter } of modulesOf(request, source)) {
      const bounded = { ...filter, tail: Math.min(filter.tail ?? MAX_TAIL, MAX_TAIL) };
      const text = await readLog(id, log, bounded, request.contentType, source);
      answer.push(
        request.encoding === 'gzip'
          ? { id, payloadBytes: encode(text, 'gzip').toString('base64') }
          : { id, payload: text },
      );
    }
    const bytes = Buffer.byteLength(JSON.stringify(answer));
    if (bytes > MAX_ANSWER_BYTES) {
      throw new Error(
        `the logs have ${bytes} bytes, an answer holds ${MAX_ANSWER_BYTES}: ask for a shorter tail, for gzip, or use UploadModuleLogs`,
      );
    }
    return answer;
  }

  #uploadLogs(payload: Payload): object {
    const { source, now } = this.#options;
    const request = parseLogRequest(payload, now());
    const sasUrl = sasUrlOf(payload);
    const extension = `${request.contentType === 'json' ? 'json' : 'log'}${request.encoding === 'gzip' ? '.gz' : ''}`;
    return this.#uploads.start(async (signal) => {
      for (const { id, log, filter } of modulesOf(request, source)) {
        const text = await readLog(id, log, filter, request.contentType, source);
        const body = encode(text, request.encoding);
        await putBlob(sasUrl, this.#blobName(id, extension), body, signal);
      }
    });
  }

  #uploadBundle(payload: Payload): object {
    const { source, reported, now } = this.#options;
    const sasUrl = sasUrlOf(payload);
    const moment = (key: string): number | undefined =>
      payload[key] === undefined || payload[key] === null ? undefined : parseMoment(payload[key], key, now());
    const [sinceMs, untilMs] = [moment('since'), moment('until')];
    const filter = {
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(untilMs === undefined ? {} : { untilMs }),
    };
    const withLogs = payload['edgeRuntimeOnly'] !== true;
    return this.#uploads.start(async (signal) => {
      const zip = await supportBundle(source, filter, withLogs, reported());
      await putBlob(sasUrl, this.#blobName('support-bundle', 'zip'), zip, signal);
    });
  }

  /** As edgeAgent names its blobs: `<hub>/<device>/<what>-<time>.<extension>`. */
  #blobName(what: string, extension: string): string {
    const { source, now } = this.#options;
    const stamp = new Date(now()).toISOString().slice(0, 19).replace('T', '--').replaceAll(':', '-');
    return `${source.hubHostName}/${source.deviceId}/${what}-${stamp}.${extension}`;
  }
}

function checkSchema(payload: Payload): void {
  const version = payload['schemaVersion'];
  if (typeof version === 'string' && /^1(\.\d+){0,3}$/.test(version)) return;
  throw invalidArgument(`schemaVersion: "1.0" expected, not ${JSON.stringify(version) ?? 'nothing'}`);
}

function textOf(payload: Payload, key: string): string {
  const value = payload[key];
  if (typeof value !== 'string' || value === '') throw invalidArgument(`${key}: a text expected`);
  return value;
}

function sasUrlOf(payload: Payload): string {
  const value = textOf(payload, 'sasUrl');
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw invalidArgument('sasUrl: the URL of a blob container with its SAS expected');
  }
  return value;
}
