/** The nodes that come with the module; `registry.ts` holds them. */
export const BUILTIN_NAMES = ['blur', 'dwell', 'fake-detection', 'flip', 'line-counter', 'onnx'] as const;

export type BuiltinName = (typeof BUILTIN_NAMES)[number];
