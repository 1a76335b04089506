import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidArgument } from '../errors.ts';
import { FAULT_KINDS, type Fault, type Faults } from '../faults/faults.ts';
import { parseFaultRequest } from '../faults/parse-fault.ts';
import type { UpstreamMessage } from '../hub/message.ts';
import type { EdgeStatus } from './control-status.ts';
import { readJson, writeReply, type HttpReply } from './http.ts';
import { serializeUpstream, streamLines } from './control-stream.ts';

/** What the control API works on. */
export interface ControlBackend {
  readonly faults: Faults;
  /** @throws VantageError EDGE_UNAUTHORIZED unless it is a token of the service policy, by the machine's own clock */
  checkOperator(authorization: string): void;
  /** @throws VantageError EDGE_IDENTITY_NOT_FOUND */
  requireClient(moduleOrDevice: string): void;
  status(): EdgeStatus;
  restartBroker(): Promise<void>;
  /** Yields how many clients were thrown out. */
  expireTokens(): Promise<number>;
  /** @throws VantageError EDGE_IDENTITY_NOT_FOUND, EDGE_INVALID_ARGUMENT when it does not run */
  killModule(moduleId: string): void;
  /** Upstream messages with a sequence above `since`: those kept, then those to come until `signal` aborts. */
  upstreamMessages(options: { since: number; signal: AbortSignal }): AsyncIterable<UpstreamMessage>;
  /** The last lines of a module's log, and with `follow` those to come until `signal` aborts. */
  moduleLog(moduleId: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<string>;
  /** Asks the owner of the runtime to end it; false when nobody listens for that. */
  requestStop(): boolean;
}

interface ControlCall {
  readonly backend: ControlBackend;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What the path names, decoded. */
  readonly name: string;
}

/** Undefined: the answer has been written. */
type Handler = (call: ControlCall) => Promise<HttpReply | undefined> | HttpReply;

const ROUTES: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/vantage\/status$/, ({ backend }) => ({ status: 200, body: backend.status() })],
  ['GET', /^\/vantage\/faults$/, ({ backend }) => ({ status: 200, body: backend.faults.list() })],
  ['POST', /^\/vantage\/faults$/, addFault],
  ['DELETE', /^\/vantage\/faults$/, clearFaults],
  ['POST', /^\/vantage\/restart-broker$/, restartBroker],
  ['POST', /^\/vantage\/expire-tokens$/, expireTokens],
  ['POST', /^\/vantage\/modules\/([^/]+)\/kill$/, killModule],
  ['GET', /^\/vantage\/modules\/([^/]+)\/log$/, sendLog],
  ['GET', /^\/vantage\/messages$/, sendMessages],
  ['POST', /^\/vantage\/stop$/, requestStop],
];

const MAX_TAIL = 100_000;

/** Whether a request is for this API, which shares its port with the service API. */
export function isControlCall(request: IncomingMessage): boolean {
  return request.url?.startsWith('/vantage/') === true;
}

/**
 * Answers one request of an operator's tool (`vantage status`, `fault`, `monitor`, `down`). Not part of IoT Hub.
 * Needs a token of the service policy. Streams are JSON lines or text lines that go on until either side ends them.
 */
export async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  backend: ControlBackend,
): Promise<void> {
  backend.checkOperator(request.headers.authorization ?? '');
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'https://hub');
  for (const [method, path, handler] of ROUTES) {
    const found = request.method === method ? path.exec(pathname) : null;
    if (found === null) continue;
    const reply = await handler({ backend, request, response, query, name: decodeName(found[1] ?? '') });
    if (reply !== undefined) writeReply(response, reply);
    return;
  }
  writeReply(response, { status: 404, body: { Message: `there is no ${request.method ?? ''} ${pathname}` } });
}

async function addFault({ backend, request }: ControlCall): Promise<HttpReply> {
  const { fault, forMs } = parseFaultRequest(await readJson(request));
  if ('module' in fault && fault.module !== undefined) backend.requireClient(fault.module);
  return { status: 201, body: backend.faults.set(fault, forMs) };
}

function clearFaults({ backend, query }: ControlCall): HttpReply {
  const cleared = backend.faults.clear(faultKind(query.get('kind')), query.get('module') ?? undefined);
  return { status: 200, body: { cleared } };
}

async function restartBroker({ backend }: ControlCall): Promise<HttpReply> {
  await backend.restartBroker();
  return { status: 200, body: {} };
}

async function expireTokens({ backend }: ControlCall): Promise<HttpReply> {
  return { status: 200, body: { disconnected: await backend.expireTokens() } };
}

function killModule({ backend, name }: ControlCall): HttpReply {
  backend.killModule(name);
  return { status: 200, body: {} };
}

async function sendLog({ backend, response, query, name }: ControlCall): Promise<undefined> {
  backend.requireClient(name);
  const tail = wholeNumber(query, 'tail', MAX_TAIL) ?? MAX_TAIL;
  const follow = query.get('follow') === '1';
  await streamLines(response, 'text/plain; charset=utf-8', (signal) =>
    backend.moduleLog(name, { tail, follow, signal }),
  );
}

async function sendMessages({ backend, response, query }: ControlCall): Promise<undefined> {
  const newest = backend.status().messages.upstreamSequence;
  const follow = query.get('follow') === '1';
  // Whoever follows wants what comes; whoever does not wants what is there.
  const since = wholeNumber(query, 'since', Number.MAX_SAFE_INTEGER) ?? (follow ? newest : 0);
  const module = query.get('module') ?? undefined;
  const last = follow ? Infinity : newest;
  await streamLines(response, 'application/x-ndjson', (signal) =>
    messageLines(since < last ? backend.upstreamMessages({ since, signal }) : [], last, module),
  );
}

async function* messageLines(
  messages: AsyncIterable<UpstreamMessage> | readonly UpstreamMessage[],
  last: number,
  module: string | undefined,
): AsyncGenerator<string> {
  for await (const message of messages) {
    if (module === undefined || message.moduleId === module) yield JSON.stringify(serializeUpstream(message));
    if (message.sequence >= last) return;
  }
}

function requestStop({ backend }: ControlCall): HttpReply {
  if (backend.requestStop()) return { status: 202, body: {} };
  return { status: 409, body: { Message: 'the process that runs this runtime takes no requests to stop it' } };
}

function faultKind(text: string | null): Fault['kind'] | undefined {
  const kind = FAULT_KINDS.find((known) => known === text);
  if (text !== null && kind === undefined) {
    throw invalidArgument(`the kind of a fault is one of ${FAULT_KINDS.join(', ')}, not "${text}"`);
  }
  return kind;
}

function wholeNumber(query: URLSearchParams, key: string, max: number): number | undefined {
  const text = query.get(key);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) throw invalidArgument(`"${key}" is a whole number from 0 to ${max}`);
  return value;
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidArgument(`"${text}" is not well percent-encoded`);
  }
}
