import type { JsonObject } from '@vantage/contracts';
import type { CustomNode } from '@vantage/custom-node';
import { Blur } from './blur.ts';
import { Dwell } from './dwell.ts';
import { FakeDetection } from './fake-detection.ts';
import { Flip } from './flip.ts';
import { LineCounter } from './line-counter.ts';
import type { BuiltinName } from './names.ts';
import { Onnx } from './onnx.ts';

/** @param root folder that relative paths in settings start from */
type Builtin = new (settings: JsonObject, root: string) => CustomNode;

/** One line for each node. */
const BUILTINS: Readonly<Record<BuiltinName, Builtin>> = {
  blur: Blur,
  dwell: Dwell,
  'fake-detection': FakeDetection,
  flip: Flip,
  'line-counter': LineCounter,
  onnx: Onnx,
};

/** @throws VantageError `HOSTED_NODE_SETTINGS_INVALID` */
export function createBuiltin(name: string, settings: JsonObject, root: string): CustomNode {
  return new BUILTINS[name as BuiltinName](settings, root);
}
