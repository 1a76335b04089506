import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readModelConfig } from '@vantage/ai-pipeline';
import type { ModelSpec } from '@vantage/inference';
import { silentLogger } from '@vantage/observability';
import { asset } from './assets.ts';

/** YOLOX-nano as a user would configure it for nvinfer. */
export async function yoloxNano(): Promise<ModelSpec> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-bench-'));
  try {
    const config = path.join(folder, 'config_infer.txt');
    await writeFile(
      config,
      `[property]
onnx-file=${asset('models/yolox_nano.onnx')}
labelfile-path=${asset('labels/coco.names')}
net-scale-factor=1
model-color-format=1
maintain-aspect-ratio=1
num-detected-classes=80
network-type=0
cluster-mode=2

[class-attrs-all]
pre-cluster-threshold=0.3
nms-iou-threshold=0.45
`,
    );
    return await readModelConfig(config, silentLogger);
  } finally {
    await rm(folder, { recursive: true });
  }
}
