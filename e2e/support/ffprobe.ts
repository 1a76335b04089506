import { accessSync, chmodSync, constants } from 'node:fs';
import { createRequire } from 'node:module';

/** The ffprobe that comes as an npm package; its file has to be made executable, because install scripts are off. */
export function ffprobePath(): string {
  const { path } = createRequire(import.meta.url)('@ffprobe-installer/ffprobe') as { path: string };
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
  return path;
}
