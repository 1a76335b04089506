#!/usr/bin/env -S node --
/** The three commands of Azure DeepStream Accelerator's command line (create, build, push): those of `vantage image`. */
const [node, script, ...rest] = process.argv;
process.argv = [node, script, 'image', ...rest];
await import('./vantage.mjs');
