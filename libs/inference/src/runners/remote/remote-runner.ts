import { status } from '@grpc/grpc-js';
import { VantageError } from '@vantage/contracts';
import type { TensorData, TensorInfo } from '@vantage/vision';
import { remoteModelUnknown, remoteUnavailable } from '../../errors.ts';
import type { ModelMetadataResponse } from '../../generated/open_inference.ts';
import type { TensorRunner } from '../runner.ts';
import { TensorMemory } from '../tensor-memory.ts';
import { failureOf, type OpenInferenceClient } from './client.ts';
import { bytesOf, datatypeOf, joined, readOutputs, slice, typeOf } from './tensors.ts';

/** What the runner was told and has found out about its model. */
export interface RemoteTarget {
  /** `host:8001` */
  readonly address: string;
  readonly model: string;
  /** Empty for the server's choice. */
  readonly version: string;
  readonly metadata: ModelMetadataResponse;
  /** Name and version of the server. */
  readonly server: string;
  readonly deadlineMs: number;
}

/** A model on a server. The connection is made anew by itself; a batch that has no answer in time fails alone. */
export class RemoteRunner implements TensorRunner {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly provider: string;
  readonly #client: OpenInferenceClient;
  readonly #target: RemoteTarget;
  readonly #memory = new TensorMemory();
  /** Pictures that the server takes at once, as far as is known. */
  #mostAtOnce = Infinity;
  #requests = 0;

  constructor(client: OpenInferenceClient, target: RemoteTarget) {
    this.#client = client;
    this.#target = target;
    const { address, metadata, server } = target;
    this.inputs = metadata.inputs.map(tensorInfo);
    this.outputs = metadata.outputs.map(tensorInfo);
    this.provider = `remote ${address} (${[server, metadata.platform].filter((one) => one !== '').join(', ')})`;
  }

  async run(feeds: readonly TensorData[]): Promise<readonly TensorData[]> {
    const batch = feeds[0]?.dims[0] ?? 1;
    if (batch <= this.#mostAtOnce) {
      try {
        return this.#inOrder(await this.#infer(feeds, ''));
      } catch (error) {
        const { code, reason } = failureOf(error);
        if (batch <= 1 || code !== status.INVALID_ARGUMENT || !/batch/i.test(reason)) throw this.#explained(error);
        // Triton: "inference request batch-size must be <= 4 for 'model'".
        const limit = Number(/<=\s*(\d+)/.exec(reason)?.[1] ?? 0);
        this.#mostAtOnce = limit > 0 && limit < batch ? limit : Math.floor(batch / 2);
      }
    }
    return this.#inPieces(feeds, batch);
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  async #inPieces(feeds: readonly TensorData[], batch: number): Promise<readonly TensorData[]> {
    const pieces: TensorData[][] = [];
    const sizes: number[] = [];
    for (let start = 0; start < batch;) {
      const count = Math.min(this.#mostAtOnce, batch - start);
      try {
        pieces.push(this.#inOrder(await this.#infer(slice(feeds, batch, start, count), `${start}:`)));
      } catch (error) {
        throw this.#explained(error);
      }
      sizes.push(count);
      start += count;
    }
    return joined(pieces, sizes);
  }

  async #infer(feeds: readonly TensorData[], key: string): Promise<TensorData[]> {
    const { model, version, deadlineMs } = this.#target;
    const response = await this.#client.modelInfer(
      {
        modelName: model,
        modelVersion: version,
        id: String(this.#requests++),
        inputs: feeds.map((feed) => ({ name: feed.name, datatype: datatypeOf(feed), shape: feed.dims.map(BigInt) })),
        outputs: this.outputs.map(({ name }) => ({ name })),
        rawInputContents: feeds.map(bytesOf),
      },
      deadlineMs,
    );
    return readOutputs(response, this.#memory, key);
  }

  /** A server may answer in an order of its own. */
  #inOrder(outputs: readonly TensorData[]): TensorData[] {
    return this.outputs.map(({ name }) => {
      const found = outputs.find((output) => output.name === name);
      if (found === undefined) throw new Error(`the server sent no output ${name}`);
      return found;
    });
  }

  #explained(error: unknown): unknown {
    if (VantageError.is(error)) return error;
    const { code, reason } = failureOf(error);
    const { address, model } = this.#target;
    if (code === undefined || code === status.INVALID_ARGUMENT) return error;
    if (code === status.DEADLINE_EXCEEDED) this.#client.reconnect();
    return isUnknownModel(code, reason)
      ? remoteModelUnknown(model, address, reason)
      : remoteUnavailable(model, address, reason);
  }
}

/** Triton says that a model is not available, others that it is not found. */
export function isUnknownModel(code: status | undefined, reason: string): boolean {
  return code === status.NOT_FOUND || (code === status.UNAVAILABLE && /unknown model|not found/i.test(reason));
}

function tensorInfo(value: ModelMetadataResponse['inputs'][number]): TensorInfo {
  return {
    name: value.name,
    type: typeOf(value.datatype),
    dims: value.shape.map((size) => Math.max(-1, Number(size))),
  };
}
