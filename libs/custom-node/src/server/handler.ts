import { Metadata, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { timingSafeEqual } from 'node:crypto';
import { customNode, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { decodePicture, encodePicture } from '../images/encoding.ts';
import { PixelsGone, type ReceivedPixels, type ServerPixelPath } from '../pixel-path.ts';
import {
  NO_INSIGHTS,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type NodeIds,
  type NodePicture,
} from '../types.ts';
import { encodeProcessResponse } from '../wire/encode.ts';
import { insightsFromWire, roiFromWire } from '../wire/insights.ts';
import { descriptionProblem, METADATA, writeHandshake } from '../wire/service.ts';
import { normaliseTime } from '../wire/time.ts';
import type { CustomNode } from './custom-node.ts';
import type { NodeMetrics } from './node-metrics.ts';
import { Sessions, type Session } from './sessions.ts';
import { Turns } from '../turns.ts';

export interface HandlerOptions {
  readonly node: CustomNode;
  readonly logger: Logger;
  readonly metrics: NodeMetrics;
  readonly concurrency: number;
  readonly waiting: number;
  readonly maxMessageBytes: number;
  readonly token: string | undefined;
  readonly jpegQuality: number | undefined;
  readonly pixelPath: ServerPixelPath | undefined;
}

type Call = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

/** A call that ends with a status of its own. */
class CallEnded extends Error {
  readonly status: number;

  constructor(code: number, text: string) {
    super(text);
    this.status = code;
  }
}

const WARN_AGAIN_MS = 10_000;
const NOBODY: NodeIds = { instance: '', skill: '', device: '' };
const STATUS_NAMES = new Map(Object.entries(status).map(([name, code]) => [code as number, name]));

/** The two calls of the contract, around somebody's node. */
export class NodeHandler {
  readonly #options: HandlerOptions;
  readonly #turns: Turns;
  readonly #sessions = new Sessions();
  #warnedOfAnswer = false;
  #lastWarning = { text: '', atMs: 0 };

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#turns = new Turns(options.concurrency, options.waiting);
  }

  handshake(call: Call, answer: Answer): void {
    void this.#settle('Handshake', call, answer, (metadata) => {
      const request = decode(customNode.HandshakeRequest, call.request);
      const ids: NodeIds = { instance: request.instanceId, skill: request.skillId, device: request.deviceId };
      const description = this.#describe(ids);
      this.#sessions.remember(call.metadata, call.getPeer(), { ids, description });
      const response = writeHandshake(request.seq, description);
      metadata.set(METADATA.maxMessageBytes, String(this.#options.maxMessageBytes));
      this.#options.pixelPath?.accept(call.metadata, metadata);
      this.#options.logger.info('handshake', { ...ids, peer: call.getPeer() });
      return Promise.resolve(Buffer.from(customNode.HandshakeResponse.encode(response).finish()));
    });
  }

  process(call: Call, answer: Answer): void {
    void this.#settle('Process', call, answer, async (metadata) => {
      const gone = new AbortController();
      call.on('cancelled', () => gone.abort());
      if (call.cancelled) gone.abort();
      this.#options.metrics.received.inc({}, call.request.length);
      await this.#takeTurn(gone.signal);
      try {
        return await this.#takePixels(call, metadata, gone.signal);
      } finally {
        this.#turns.leave();
        this.#options.metrics.waiting.set(this.#turns.waiting);
      }
    });
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    const turn = this.#turns.enter(signal);
    this.#options.metrics.waiting.set(this.#turns.waiting);
    if (await turn) return;
    if (signal.aborted) throw new CallEnded(status.CANCELLED, 'nobody waits for this frame any more');
    throw new CallEnded(status.RESOURCE_EXHAUSTED, `the node is busy and ${this.#options.waiting} frames wait already`);
  }

  async #takePixels(call: Call, metadata: Metadata, signal: AbortSignal): Promise<Buffer> {
    const beside = this.#options.pixelPath?.resolve(call.metadata);
    let working: Promise<unknown> | undefined;
    try {
      return await this.#process(call, beside, signal);
    } catch (error) {
      working = workBehind(error);
      throw error;
    } finally {
      const end = (): void => beside?.end(metadata);
      if (working === undefined) end();
      else void working.then(end, end);
    }
  }

  async #process(call: Call, beside: ReceivedPixels | undefined, signal: AbortSignal): Promise<Buffer> {
    const request = decode(customNode.ProcessRequest, call.request);
    const { ids, description } = this.#sessions.of(call.metadata, call.getPeer()) ?? this.#withoutHandshake();
    const frame = await this.#readFrame(request.frame, beside?.pixels, description);
    const begun = performance.now();
    const answer = (await this.#options.node.process(frame, { ids, signal })) ?? {};
    this.#options.metrics.process.observe((performance.now() - begun) / 1000);
    return await this.#writeAnswer({ ack: request.seq, answer, description, beside });
  }

  #withoutHandshake(): Session {
    return { ids: NOBODY, description: this.#describe(NOBODY) };
  }

  #describe(ids: NodeIds): NodeDescription {
    const description = this.#options.node.describe(ids);
    const problem = descriptionProblem(description);
    if (problem !== undefined) throw new Error(`the node ${problem}`);
    return description;
  }

  async #readFrame(
    frame: customNode.Frame | undefined,
    beside: Buffer | undefined,
    description: NodeDescription,
  ): Promise<NodeFrame> {
    const picture = await this.#readPicture(frame?.image, beside, description);
    const properties = frame?.image?.properties;
    return {
      frameId: frame?.frameId ?? '',
      timestamp: normaliseTime(frame?.timestamp ?? { seconds: 0n, nanos: 0 }),
      datetime: frame?.datetime ?? '',
      width: picture?.width ?? Number(properties?.width ?? 0n),
      height: picture?.height ?? Number(properties?.height ?? 0n),
      colorFormat: picture?.colorFormat ?? colorOf(properties),
      insights: frame?.insightsMeta === undefined ? NO_INSIGHTS : insightsFromWire(frame.insightsMeta).insights,
      ...(frame?.roi === undefined ? {} : { roi: roiFromWire(frame.roi) }),
      ...(picture === undefined ? {} : { pixels: picture.pixels }),
    };
  }

  async #readPicture(
    image: customNode.Image | undefined,
    beside: Buffer | undefined,
    { image: wanted, answerImage }: NodeDescription,
  ): Promise<NodePicture | undefined> {
    const bytes = beside ?? image?.imagePointer;
    const announced = {
      width: Number(image?.properties?.width ?? 0n),
      height: Number(image?.properties?.height ?? 0n),
      colorFormat: colorOf(image?.properties),
    };
    if (bytes === undefined || bytes.length === 0) {
      if (wanted === 'none') return undefined;
      throw new CallEnded(status.INVALID_ARGUMENT, `the frame has no picture; this node asks for ${wanted}`);
    }
    // The reference's client sends the picture whatever was asked for.
    const encoding = wanted === 'none' ? (answerImage ?? 'numpy') : wanted;
    const { buffer, byteOffset, byteLength } = bytes;
    try {
      return await decodePicture(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength), encoding, announced);
    } catch (error) {
      throw new CallEnded(status.INVALID_ARGUMENT, messageOf(error));
    }
  }

  async #writeAnswer(work: {
    readonly ack: bigint;
    readonly answer: NodeAnswer;
    readonly description: NodeDescription;
    readonly beside: ReceivedPixels | undefined;
  }): Promise<Buffer> {
    const { ack, answer, description } = work;
    const { response } = description;
    const takesImage = response === 'image' || response === 'imageAndInsights';
    const takesInsights = response === 'insights' || response === 'imageAndInsights';
    this.#warnOfAnswer(answer, response, { takesImage, takesInsights });
    const insights = takesInsights ? { ...NO_INSIGHTS, ...answer.insights } : undefined;
    if (!takesImage || answer.image === undefined) return encodeProcessResponse(ack, insights).asBuffer();
    const { image } = answer;
    const encoding = description.image === 'none' ? (description.answerImage ?? 'numpy') : description.image;
    const { jpegQuality } = this.#options;
    const payload = await encodePicture(image, encoding, jpegQuality === undefined ? {} : { jpegQuality });
    // What travels is BGR in every encoding.
    const facts = { width: image.width, height: image.height, colorFormat: 'BGR' } as const;
    const isBeside = work.beside?.put(payload) === true;
    return encodeProcessResponse(ack, insights, facts, isBeside ? undefined : payload).asBuffer();
  }

  #warnOfAnswer(
    answer: NodeAnswer,
    response: string,
    { takesImage, takesInsights }: { readonly takesImage: boolean; readonly takesInsights: boolean },
  ): void {
    const lost = [
      ...(answer.image !== undefined && !takesImage ? ['a picture'] : []),
      ...(answer.insights !== undefined && !takesInsights ? ['insights'] : []),
    ];
    if (lost.length === 0 || this.#warnedOfAnswer) return;
    this.#warnedOfAnswer = true;
    this.#options.logger.warn(
      `the node answers with ${lost.join(' and ')}, but describes response "${response}": not sent (said once)`,
    );
  }

  async #settle(
    method: string,
    call: Call,
    answer: Answer,
    work: (metadata: Metadata) => Promise<Buffer>,
  ): Promise<void> {
    let code: number = status.OK;
    try {
      if (!this.#isAllowed(call.metadata)) throw new CallEnded(status.UNAUTHENTICATED, 'a token is missing or wrong');
      const metadata = new Metadata();
      const response = await work(metadata);
      if (!call.cancelled && Object.keys(metadata.getMap()).length > 0) call.sendMetadata(metadata);
      answer(null, response);
    } catch (error) {
      const ended = endingOf(error);
      code = ended.code;
      if (code === (status.UNKNOWN as number)) this.#warnOf(`${method}: ${ended.details}`, error);
      answer(ended);
    } finally {
      this.#options.metrics.calls.inc({ method, status: STATUS_NAMES.get(code) ?? String(code) });
    }
  }

  /** The same error on every frame of a camera is worth one line in a while. */
  #warnOf(text: string, error: unknown): void {
    const now = performance.now();
    const isRepeated = text === this.#lastWarning.text && now - this.#lastWarning.atMs < WARN_AGAIN_MS;
    if (!isRepeated) this.#lastWarning = { text, atMs: now };
    this.#options.logger[isRepeated ? 'debug' : 'warn'](text, { error });
  }

  #isAllowed(metadata: Metadata): boolean {
    const { token } = this.#options;
    if (token === undefined) return true;
    const given = Buffer.from(String(metadata.get('authorization')[0] ?? ''));
    const wanted = Buffer.from(`Bearer ${token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/** What goes on after an exception. */
function workBehind(error: unknown): Promise<unknown> | undefined {
  const working =
    typeof error === 'object' && error !== null && 'stillWorking' in error ? error.stillWorking : undefined;
  return working instanceof Promise ? working : undefined;
}

/** Exceptions of the node's own code go out as grpcio's servers do it (contract A "Errors"). */
function endingOf(error: unknown): { code: number; details: string; metadata?: Metadata } {
  if (error instanceof PixelsGone)
    return { code: status.FAILED_PRECONDITION, details: error.message, metadata: error.metadata };
  if (error instanceof CallEnded) return { code: error.status, details: error.message };
  const code = typeof error === 'object' && error !== null && 'grpcCode' in error ? error.grpcCode : undefined;
  if (typeof code === 'number' && code !== (status.OK as number) && STATUS_NAMES.has(code))
    return { code, details: clipped(messageOf(error)) };
  return { code: status.UNKNOWN, details: `Exception calling application: ${clipped(messageOf(error))}` };
}

/** Details travel as a header, and headers have limits. */
function clipped(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000)}...` : text;
}

function decode<T>(message: { decode(input: Uint8Array): T }, bytes: Buffer): T {
  try {
    return message.decode(bytes);
  } catch {
    throw new CallEnded(status.INTERNAL, 'Exception deserializing request!');
  }
}

function colorOf(properties: customNode.ImageProperties | undefined): 'BGR' | 'RGB' {
  return properties?.colorFormat === customNode.ColorFormat.COLOR_FORMAT_RGB ? 'RGB' : 'BGR';
}
