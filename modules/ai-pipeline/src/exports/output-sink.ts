import type { EdgeModule } from '@vantage/edge-client';
import type { ExportSink } from './sink.ts';

export interface OutputSinkOptions {
  readonly edge: Pick<EdgeModule, 'send'>;
  readonly output: string;
  /** The module that a route hands the message to. */
  readonly brokered?: { readonly module: string; readonly input: string };
}

/** IoT Hub's limit of a message, with room for its properties. */
const MAX_BYTES = 255 * 1024;

/** Sends documents to an output of this module; routes say where they go. Waits until the hub has them. */
export class OutputSink implements ExportSink {
  readonly target: string;
  readonly maxBytes = MAX_BYTES;
  readonly #options: OutputSinkOptions;

  constructor(options: OutputSinkOptions) {
    this.#options = options;
    const { output, brokered } = options;
    this.target = `output ${output}${brokered ? ` for ${brokered.module}/${brokered.input}` : ''}`;
  }

  async send(document: string, signal: AbortSignal): Promise<void> {
    const { edge, output, brokered } = this.#options;
    // So that a route can tell two exports at one output apart.
    const properties = brokered ? { module: brokered.module, input: brokered.input } : {};
    const left = Promise.withResolvers<never>();
    const onAbort = (): void => left.reject(new Error('it was stopped'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([edge.send(output, document, properties), left.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
