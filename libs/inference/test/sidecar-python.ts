import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pythonCandidates } from '@vantage/observability';
import { SIDECAR_PYTHON } from '../src/runners/sidecar.ts';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

/** Real models of others; not part of the project. */
export const MODELS = path.join(
  path.resolve(repository, process.env['VANTAGE_ASSETS'] ?? '../shared/assets'),
  'models',
);

/** A Python with the onnxruntime package. Undefined, with a line that says so, where there is none or no model to run. */
export function sidecarPython(): string | undefined {
  const pythons = pythonCandidates(SIDECAR_PYTHON);
  const found = pythons.find((python) => spawnSync(python, ['-c', 'import onnxruntime']).status === 0);
  if (found === undefined) {
    process.stderr.write(
      `sidecars are not run: no package onnxruntime in ${pythons.join(', ')} (VANTAGE_SIDECAR_PYTHON)\n`,
    );
  } else if (!existsSync(MODELS)) {
    process.stderr.write(`sidecars are not run: no ${MODELS} (VANTAGE_ASSETS)\n`);
    return undefined;
  }
  return found;
}
