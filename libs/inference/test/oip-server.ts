/**
 * A small server of the Open Inference Protocol v2 that runs real ONNX Runtime sessions: `oip-server.ts '{"port": 0,
 * "models": {"name": "file.onnx"}}'`. Prints its port when it listens. Its statuses are those of Triton.
 */
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import ort from 'onnxruntime-node';
import {
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataRequest,
  ModelMetadataResponse,
  ServerMetadataRequest,
  ServerMetadataResponse,
  type MessageFns,
} from '../src/generated/open_inference.ts';
import { typeOf } from '../src/runners/remote/tensors.ts';

export interface ServerTask {
  readonly port: number;
  readonly models: Readonly<Record<string, string>>;
  /** A larger batch is refused. */
  readonly maxBatch?: number;
  /** Answers with typed contents instead of raw ones, and in reverse order. */
  readonly typed?: boolean;
  /** Leaves out the last bytes of what it answers. */
  readonly short?: boolean;
}

const task = JSON.parse(process.argv[2] ?? '') as ServerTask;
const sessions = new Map<string, ort.InferenceSession>();
for (const [name, file] of Object.entries(task.models)) {
  sessions.set(name, await ort.InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 }));
}

const NAMES: Readonly<Record<string, string>> = { float32: 'FP32', int64: 'INT64', uint8: 'UINT8', float16: 'FP16' };

class Refused extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

function sessionOf(name: string): ort.InferenceSession {
  const session = sessions.get(name);
  if (!session) throw new Refused(status.UNAVAILABLE, `Request for unknown model: '${name}' is not found`);
  return session;
}

function metadataOf(value: ort.InferenceSession.ValueMetadata): ModelMetadataResponse['inputs'][number] {
  if (!value.isTensor) throw new Refused(status.INTERNAL, `${value.name} is no tensor`);
  const shape = value.shape.map((size) => (typeof size === 'number' && size > 0 ? BigInt(size) : -1n));
  return { name: value.name, datatype: NAMES[value.type] ?? value.type, shape };
}

async function infer(request: ModelInferRequest): Promise<ModelInferResponse> {
  const session = sessionOf(request.modelName);
  const feeds = Object.fromEntries(
    request.inputs.map(({ name, datatype, shape }, at) => {
      const dims = shape.map(Number);
      if ((dims[0] ?? 0) > (task.maxBatch ?? Infinity)) {
        throw new Refused(
          status.INVALID_ARGUMENT,
          `inference request batch-size must be <= ${task.maxBatch} for '${request.modelName}'`,
        );
      }
      const bytes = Uint8Array.from(request.rawInputContents[at] ?? []);
      const data = datatype === 'UINT8' ? bytes : new Float32Array(bytes.buffer);
      return [name, new ort.Tensor(typeOf(datatype) as 'float32', data as Float32Array, dims)];
    }),
  );
  const results = await session.run(feeds);
  const outputs = request.outputs.map(({ name }) => ({ name, tensor: results[name] as ort.Tensor }));
  if (task.typed) outputs.reverse();
  return {
    modelName: request.modelName,
    modelVersion: '1',
    id: request.id,
    outputs: outputs.map(({ name, tensor }) => ({
      name,
      datatype: NAMES[tensor.type] ?? tensor.type,
      shape: tensor.dims.map(BigInt),
      contents: task.typed ? typedContents(tensor) : undefined,
    })),
    rawOutputContents: task.typed
      ? []
      : outputs.map(({ tensor: { data } }) => {
          const { buffer, byteOffset, byteLength } = data as Float32Array;
          return new Uint8Array(buffer, byteOffset, byteLength - (task.short ? 4 : 0));
        }),
  };
}

function typedContents(tensor: ort.Tensor): ModelInferResponse['outputs'][number]['contents'] {
  return {
    boolContents: [],
    intContents: [],
    int64Contents: [],
    uintContents: [],
    uint64Contents: [],
    fp32Contents: [...(tensor.data as Float32Array)],
    fp64Contents: [],
  };
}

function method<Request, Response>(
  name: string,
  requests: MessageFns<Request>,
  responses: MessageFns<Response>,
  answer: (request: Request) => Response | Promise<Response>,
): [object, (call: ServerUnaryCall<Request, Response>, reply: sendUnaryData<Response>) => void] {
  return [
    {
      path: `/inference.GRPCInferenceService/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: Request) => Buffer.from(requests.encode(message).finish()),
      requestDeserialize: (bytes: Buffer) => requests.decode(bytes),
      responseSerialize: (message: Response) => Buffer.from(responses.encode(message).finish()),
      responseDeserialize: (bytes: Buffer) => responses.decode(bytes),
    },
    (call, reply) => {
      Promise.resolve()
        .then(() => answer(call.request))
        .then(
          (response) => reply(null, response),
          (error: Error) => {
            const code = error instanceof Refused ? error.code : status.INVALID_ARGUMENT;
            reply({ code, details: error.message });
          },
        );
    },
  ];
}

const methods = {
  ServerMetadata: method('ServerMetadata', ServerMetadataRequest, ServerMetadataResponse, () => ({
    name: 'oip-server',
    version: '1',
  })),
  ModelMetadata: method('ModelMetadata', ModelMetadataRequest, ModelMetadataResponse, ({ name }) => {
    const session = sessionOf(name);
    return {
      name,
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: session.inputMetadata.map(metadataOf),
      outputs: session.outputMetadata.map(metadataOf),
    };
  }),
  ModelInfer: method('ModelInfer', ModelInferRequest, ModelInferResponse, infer),
};

const server = new Server({ 'grpc.max_receive_message_length': -1 });
server.addService(
  Object.fromEntries(Object.entries(methods).map(([name, [definition]]) => [name, definition])) as never,
  Object.fromEntries(Object.entries(methods).map(([name, [, handler]]) => [name, handler])),
);
server.bindAsync(`127.0.0.1:${task.port}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
