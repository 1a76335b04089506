import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { decodePicture, type NodePicture } from '@vantage/custom-node';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** Folder of the real models and pictures; not part of the project. */
export const ASSETS = path.resolve(REPOSITORY, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');

/** `describe`, or a skipped one that says why. */
export const describeWithAssets = existsSync(ASSETS)
  ? describe
  : (process.stderr.write(`skipped: ${ASSETS} is missing; set VANTAGE_ASSETS to the folder of the test assets\n`),
    describe.skip);

/** A JPEG of the assets, decoded. */
export function pictureOf(name: string, width: number, height: number): Promise<NodePicture> {
  const bytes = readFileSync(path.join(ASSETS, 'images', name));
  return decodePicture(bytes, 'jpeg', { width, height, colorFormat: 'BGR' });
}

export interface Truth {
  readonly image: string;
  readonly imageWidth: number;
  readonly imageHeight: number;
  readonly nvinferEquivalent: Readonly<Record<string, string | number>>;
  readonly detections: readonly { readonly box: readonly number[]; readonly score: number }[];
}

export function truthOf(name: string): Truth {
  return JSON.parse(readFileSync(path.join(ASSETS, 'truth', name), 'utf8')) as Truth;
}
