import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe } from '@jest/globals';

export const REPOSITORY = path.resolve(import.meta.dirname, '../..');

/** Folder of the real models, videos and truths that tests use; not part of the project. */
export const ASSETS = path.resolve(REPOSITORY, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');

/** `describe`, or a skipped one that says why. */
export const describeWithAssets = existsSync(ASSETS)
  ? describe
  : (process.stderr.write(`skipped: ${ASSETS} is missing; set VANTAGE_ASSETS to the folder of the test assets\n`),
    describe.skip);
