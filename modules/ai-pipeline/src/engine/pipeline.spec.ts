import { MessageChannel } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { VantageError } from '@vantage/contracts';
import { parseInferConfig } from '@vantage/deepstream';
import type { InferenceBackend, LoadedModel } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { locateHere } from './node-files.ts';
import { Pipeline, type Problem } from './pipeline.ts';

/** A fake: sessions that end when the test says so. A real worker thread cannot be made to die from outside. */
class FakeBackend implements InferenceBackend {
  readonly deaths: ((error: VantageError) => void)[] = [];

  load(): Promise<LoadedModel> {
    const { promise, resolve } = Promise.withResolvers<VantageError>();
    this.deaths.push(resolve);
    return Promise.resolve({
      report: {} as LoadedModel['report'],
      died: promise,
      connect: () => new MessageChannel().port1,
      unload: () => Promise.resolve(),
    });
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

test('a model whose session dies is reported and loaded again', async () => {
  const backend = new FakeBackend();
  const problems: Problem[] = [];
  const { spec: infer } = parseInferConfig('[property]\nonnx-file=m.onnx\n', 'm.txt');
  const changed: (() => void)[] = [];
  const pipeline = new Pipeline(
    { id: 'P', nodes: [{ kind: 'model', id: 'model/primary', configFile: 'm.txt' }], edges: [] },
    {
      ffmpeg: await resolveFfmpeg(),
      backend,
      resolveModel: () => Promise.resolve({ name: 'm.txt', onnxFile: 'm.onnx', infer, labels: [] }),
      locate: locateHere,
      recording: undefined,
      logger: silentLogger,
      handlers: {
        onInsights: () => undefined,
        onExport: () => undefined,
        onClip: () => undefined,
        onLive: () => undefined,
        isWatched: () => false,
        onStatus: () => changed.splice(0).forEach((wake) => wake()),
        onProblem: (problem) => problems.push(problem),
      },
    },
  );
  const until = async (isIt: () => boolean): Promise<void> => {
    while (!isIt()) await new Promise<void>((resolve) => changed.push(resolve));
  };
  pipeline.start();
  await until(() => pipeline.status.state === 'running');
  backend.deaths[0]?.(new VantageError('INFERENCE_WORKER_DIED', 'the inference worker of m.txt ended with code 1'));
  await until(() => backend.deaths.length === 2);
  expect(problems).toEqual([
    {
      code: 'INFERENCE_WORKER_DIED',
      message: 'the inference worker of m.txt ended with code 1; it is loaded again',
      pipeline: 'P',
    },
  ]);
  await pipeline.stop();
});
