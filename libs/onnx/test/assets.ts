import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Real models of others; not part of the project. */
export const MODELS = path.join(
  path.resolve(repository, process.env['VANTAGE_ASSETS'] ?? '../shared/assets'),
  'models',
);

/** Says so where they are not there. */
export function haveModels(whatIsSkipped: string): boolean {
  if (existsSync(MODELS)) return true;
  process.stderr.write(`${whatIsSkipped}: no ${MODELS} (VANTAGE_ASSETS)\n`);
  return false;
}
