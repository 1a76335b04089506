import { stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import { connectEngine } from '@vantage/local-edge';
import { followBuild } from './build.ts';

export interface BuildFileOptions {
  /** Dockerfile. */
  readonly path: string;
  readonly tag: string;
  /** Default: the Dockerfile's folder. */
  readonly context?: string;
  readonly cache: boolean;
}

/** Builds one Dockerfile. @throws VantageError INPUT_MISSING, IMAGE_BUILD_FAILED */
export async function buildFile(options: BuildFileOptions, tell: (line: string) => void): Promise<void> {
  const context = path.resolve(options.context ?? path.dirname(options.path));
  const dockerfile = path.relative(context, path.resolve(options.path));
  if (!(await stat(options.path).catch(() => undefined))?.isFile()) {
    throw new VantageError('INPUT_MISSING', `there is no Dockerfile ${options.path}`);
  }
  if (dockerfile.startsWith('..')) {
    throw new VantageError(
      'INPUT_MISSING',
      `${options.path} is not in the build's folder ${context}; name another by --context`,
    );
  }
  const docker = await connectEngine();
  const stream = await docker.buildImage(
    { context, src: ['.'] },
    { t: options.tag, dockerfile, forcerm: true, nocache: !options.cache },
  );
  await followBuild(docker, stream, options.tag, tell);
  tell(`${options.tag} built`);
}
