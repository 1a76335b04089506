/** Flags for a Node that runs TypeScript of this repository; `tools/bootstrap/node-runtime.mjs` has the same for the start. */
export const NODE_FLAGS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  `--import=${new URL('../../bootstrap/stripped-once.mjs', import.meta.url).href}`,
];
