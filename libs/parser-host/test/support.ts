import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, describe, expect } from '@jest/globals';
import type { TensorData } from '@vantage/vision';
import { openParser, type CustomParser, type ParserSpec } from '../src/index.ts';
import { findRuntime } from '../src/runtimes.ts';

/** `describe`, or a skipped one that says why. */
export const describeWithPython = await findRuntime('python', 1024).then(
  () => describe,
  (error: Error) => (process.stderr.write(`skipped: ${error.message}\n`), describe.skip),
);

export interface LogLine {
  readonly level: string;
  readonly text: string;
}

export interface Bench {
  readonly log: LogLine[];
  /** Writes files into a new folder; gives its path. */
  folder(files: Readonly<Record<string, string>>): string;
  /** The folder that was made last. */
  lastFolder(): string;
  /** A parser of one file, `parser.py` or `parser.js`, that is closed after the test. */
  open(kind: ParserSpec['kind'], text: string, spec?: Partial<ParserSpec>): Promise<CustomParser>;
}

/** Folders and parsers that go away after each test. */
export function createBench(): Bench {
  const log: LogLine[] = [];
  const folders: string[] = [];
  const parsers: CustomParser[] = [];
  afterEach(async () => {
    await Promise.all(parsers.splice(0).map((parser) => parser.close()));
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
    log.length = 0;
  });
  const folder = (files: Readonly<Record<string, string>>): string => {
    const created = mkdtempSync(path.join(os.tmpdir(), 'vantage-parser-'));
    folders.push(created);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(created, name), text);
    return created;
  };
  return {
    log,
    folder,
    lastFolder: () => folders.at(-1) as string,
    async open(kind, text, spec = {}) {
      const name = kind === 'python' ? 'parser.py' : 'parser.js';
      const file = spec.file ?? path.join(folder({ [name]: text }), name);
      const parser = await openParser({
        kind,
        role: 'primary',
        networkSize: { width: 416, height: 416 },
        log: (level, line) => log.push({ level, text: line }),
        ...spec,
        file,
      });
      parsers.push(parser);
      return parser;
    },
  };
}

export function floats(name: string, dims: readonly number[], values: readonly number[] = []): TensorData {
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  data.set(values);
  return { name, dims, data };
}

/** A dead process that nobody has asked about yet is gone as well. */
export function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits until the system has taken the process away. */
export async function expectGone(pid: number): Promise<void> {
  const until = performance.now() + 15_000;
  while (isThere(pid) && performance.now() < until) await after(10);
  expect(isThere(pid)).toBe(false);
}
