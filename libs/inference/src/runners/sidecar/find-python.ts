import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/**
 * Interpreters that may have the onnxruntime package, best first: `VANTAGE_SIDECAR_PYTHON` and no other where it is set,
 * else the first `python3` of the PATH, else the system's own.
 */
export function sidecarPythons(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const wished = env['VANTAGE_SIDECAR_PYTHON'];
  if (wished !== undefined && wished !== '') return [wished];
  const onPath = (env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'python3'));
  return [...new Set([...onPath.filter(isExecutable).slice(0, 2), '/usr/bin/python3'])].filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
