import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folder of conformance cases, beside the repository by default; undefined where this machine has none. */
export const CASES_DIR = ((): string | undefined => {
  const root = resolve(import.meta.dirname, '../../..');
  const folder = resolve(root, process.env['VANTAGE_CASES'] ?? '../shared/cases', 'iot-edge');
  if (existsSync(folder)) return folder;
  process.stderr.write(`skipped: no conformance cases at ${folder} (set VANTAGE_CASES)\n`);
  return undefined;
})();

/** The parsed content of one case file; an empty list of cases where there is none. */
export function loadCases<File extends { readonly cases: readonly unknown[] }>(name: string): File {
  if (CASES_DIR === undefined) return { cases: [] } as unknown as File;
  return JSON.parse(readFileSync(resolve(CASES_DIR, name), 'utf8')) as File;
}
