import { strippedOnce } from './tools/bootstrap/node-runtime.mjs';

// Hundreds of processes and threads are started by the tests: they strip each file's types once, not each of them again.
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${strippedOnce}`.trim();

/** One Jest for the whole house. TypeScript reaches it through swc; the modules themselves run on Node's own type stripping. */
export default {
  testEnvironment: 'node',
  testMatch: [
    '<rootDir>/{libs,modules,tools}/*/{src,test}/**/*.spec.ts',
    '<rootDir>/sdk/*/test/**/*.spec.ts',
    '<rootDir>/e2e/**/*.spec.ts',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/'],
  setupFilesAfterEnv: ['<rootDir>/tools/bootstrap/attempts.mjs'],
  maxWorkers: 2,
  // A worker keeps something of each file it ran, and collecting that over and over is dearer than a new worker.
  workerIdleMemoryLimit: '400MB',
  testSequencer: '<rootDir>/tools/bootstrap/longest-first.mjs',
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/tools/bootstrap/closing-line-reporter.mjs'],
};
