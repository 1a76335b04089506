import type { JsonObject } from '@vantage/contracts';
import type { CustomNode } from '@vantage/custom-node';
import type { BuiltinName } from './names.ts';

/** @param root folder that relative paths in settings start from */
type Builtin = new (settings: JsonObject, root: string) => CustomNode;

/** One line for each node; what another one needs is not loaded. */
const BUILTINS: Readonly<Record<BuiltinName, () => Promise<Builtin>>> = {
  blur: async () => (await import('./blur.ts')).Blur,
  dwell: async () => (await import('./dwell.ts')).Dwell,
  'fake-detection': async () => (await import('./fake-detection.ts')).FakeDetection,
  flip: async () => (await import('./flip.ts')).Flip,
  'line-counter': async () => (await import('./line-counter.ts')).LineCounter,
  onnx: async () => (await import('./onnx.ts')).Onnx,
};

/** @throws VantageError `HOSTED_NODE_SETTINGS_INVALID` */
export async function createBuiltin(name: BuiltinName, settings: JsonObject, root: string): Promise<CustomNode> {
  return new (await BUILTINS[name]())(settings, root);
}
