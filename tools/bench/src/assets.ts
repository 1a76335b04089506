import { existsSync } from 'node:fs';
import path from 'node:path';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

/** A file of the shared assets; the message says how to have them. */
export function asset(file: string): string {
  const folder = path.resolve(REPOSITORY, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
  const found = path.join(folder, file);
  if (!existsSync(found)) throw new Error(`${found} is missing; set VANTAGE_ASSETS to the folder of the test assets`);
  return found;
}
