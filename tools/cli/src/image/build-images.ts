import { VantageError } from '@vantage/contracts';
import { connectEngine, LOCAL_BASE, makeLocalBase } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { buildImage, type BuiltImage } from './build.ts';
import { findModules, hostPlatform, REPOSITORY } from './modules.ts';

export interface ImageBuildOptions {
  /** Image with Node that the modules' images are built on; default: the one their Dockerfiles name. */
  readonly base?: string;
  /** Make that base from this machine, and take the packages from its node_modules: no network is needed. */
  readonly localBase: boolean;
  /** Names of module folders; default: all. */
  readonly module?: readonly string[];
  /** `amd64` or `arm64v8`; default: this machine's. */
  readonly platform?: string;
}

/**
 * Builds the images of the modules, one after the other; `tell` gets lines for a person, `onLine` the build's own.
 * @throws VantageError OPTIONS_CONFLICT, IMAGE_BUILD_FAILED, IMAGE_MODULE_UNKNOWN
 */
export async function buildImages(
  options: ImageBuildOptions,
  tell: (line: string) => void,
  onLine: (line: string) => void = () => undefined,
): Promise<BuiltImage[]> {
  const machine = (options.platform ?? hostPlatform()).split('.')[0];
  if (options.localBase && machine !== hostPlatform()) {
    throw new VantageError(
      'OPTIONS_CONFLICT',
      `--local-base is made of this machine's programs, for ${hostPlatform()}; images for ${machine} need --base or the usual one`,
    );
  }
  const docker = await connectEngine();
  const modules = await findModules(REPOSITORY, options.platform ?? hostPlatform(), options.module ?? []);
  let base = options.base;
  if (options.localBase) {
    const started = performance.now();
    const ffmpeg = await resolveFfmpeg();
    base ??= LOCAL_BASE;
    const sizeBytes = await makeLocalBase(docker, { tag: base, ffmpeg: ffmpeg.path });
    tell(`${base}  ${megabytes(sizeBytes)}  ${((performance.now() - started) / 1000).toFixed(1)} s`);
    if (modules.some(({ name }) => name === 'player')) {
      const { makePlayerPage } = await import('./player-page.ts');
      await makePlayerPage(tell);
    }
  }
  const built: BuiltImage[] = [];
  for (const module of modules) {
    const image = await buildImage(docker, module, {
      root: REPOSITORY,
      ...(base === undefined ? {} : { baseImage: base }),
      hostPackages: options.localBase,
      onLine,
    });
    tell(`${image.tag}  ${megabytes(image.sizeBytes)}  ${image.seconds.toFixed(1)} s`);
    built.push(image);
  }
  return built;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
