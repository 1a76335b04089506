import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type Docker from 'dockerode';
import { pack, type Pack } from 'tar-stream';
import { VantageError } from '@vantage/contracts';
import { findImage } from '@vantage/local-edge';
import { followProgress } from './follow-progress.ts';
import type { BuildableModule } from './modules.ts';
import { filesBelow, runtimeFiles, type ContextFile } from './packages.ts';

export interface BuildOptions {
  readonly root: string;
  readonly baseImage?: string;
  /** Take packages from this machine's node_modules, so that the build needs no network. */
  readonly hostPackages: boolean;
  /** A line of the build's own output. */
  readonly onLine: (line: string) => void;
}

export interface BuiltImage {
  readonly tag: string;
  readonly id: string;
  readonly sizeBytes: number;
  readonly seconds: number;
}

/** What the images hold besides packages: the default deployment's video and model, and what nodes in Python import. */
const OTHER = ['tools/demo/media/street.mp4', 'tools/demo/models/demo', 'sdk/python/vantage_custom_node'];

/** Says what an image was built of. */
const CONTENT_LABEL = 'vantage.image.content';

/**
 * Builds the image of one module from the repository. One that was built of the same files of this machine, on the same
 * base, is left as it is.
 * @throws VantageError IMAGE_BUILD_FAILED
 */
export async function buildImage(docker: Docker, module: BuildableModule, options: BuildOptions): Promise<BuiltImage> {
  const started = performance.now();
  const { root, baseImage, hostPackages, onLine } = options;
  const parameters = {
    t: module.tag,
    dockerfile: module.dockerfile,
    forcerm: true,
    version: await builderVersion(docker),
    ...(baseImage === undefined ? {} : { buildargs: { BASE_IMAGE: baseImage } }),
  };
  if (hostPackages) {
    const files = await contextFiles(root, module);
    const base = baseImage === undefined ? undefined : await findImage(docker, baseImage);
    const content = await digest(files, base?.Id ?? '');
    const present = await findImage(docker, module.tag);
    if (present?.Config.Labels?.[CONTENT_LABEL] !== content) {
      const stream = await send(docker, files, { ...parameters, labels: { [CONTENT_LABEL]: content } });
      await followBuild(docker, stream, module.name, onLine);
    }
  } else {
    await followBuild(docker, await docker.buildImage({ context: root, src: ['.'] }, parameters), module.name, onLine);
  }
  const { Id: id, Size: sizeBytes } = await docker.getImage(module.tag).inspect();
  return { tag: module.tag, id, sizeBytes, seconds: (performance.now() - started) / 1000 };
}

/** BuildKit where the engine has it: it takes a quarter of the time for thousands of small files. */
async function builderVersion(docker: Docker): Promise<'1' | '2'> {
  const { ApiVersion, Os, Components } = await docker.version();
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number);
  // Podman answers as an engine, and has no such builder.
  const isDocker = Components.some(({ Name }) => Name === 'Engine');
  return isDocker && Os === 'linux' && (major > 1 || minor >= 40) ? '2' : '1';
}

async function contextFiles(root: string, module: BuildableModule): Promise<ContextFile[]> {
  const files = await runtimeFiles(root, path.join('modules', module.name));
  files.push({ name: module.dockerfile, file: path.join(root, module.dockerfile) });
  for (const name of OTHER) files.push(...(await filesBelow(root, path.join(root, name))));
  return files;
}

async function digest(files: readonly ContextFile[], baseId: string): Promise<string> {
  const hash = createHash('sha256').update(baseId);
  for (const { name, file, link } of files) {
    if (link === undefined) {
      const { size, mtimeMs } = await stat(file);
      hash.update(JSON.stringify([name, size, mtimeMs]));
    } else hash.update(JSON.stringify([name, link]));
  }
  return hash.digest('hex');
}

/** Sends the files as the build's context; yields the build's output. */
async function send(
  docker: Docker,
  files: readonly ContextFile[],
  parameters: Docker.ImageBuildOptions,
): Promise<NodeJS.ReadableStream> {
  const archive = pack();
  const abort = new AbortController();
  const filled = fill(archive, files).catch((error: unknown) => {
    // The engine would wait for the rest for ever.
    abort.abort();
    throw error;
  });
  const [stream] = await Promise.all([
    docker.buildImage(archive, { ...parameters, abortSignal: abort.signal }),
    filled,
  ]);
  return stream;
}

async function fill(archive: Pack, files: readonly ContextFile[]): Promise<void> {
  for (const { name, file, link } of files) {
    if (link !== undefined) {
      archive.entry({ name, type: 'symlink', linkname: link });
      continue;
    }
    const { size, mode } = await stat(file);
    await new Promise<void>((resolve, reject) => {
      // The same bytes give the same layer, whenever they were installed.
      const entry = archive.entry({ name, size, mode: mode & 0o111 ? 0o755 : 0o644, mtime: new Date(0) }, (error) => {
        if (error) reject(error);
        else resolve();
      });
      createReadStream(file).on('error', reject).pipe(entry);
    });
  }
  archive.finalize();
}

/** How either builder says that an image named in FROM is not to be had. */
const BASE_MISSING =
  /\/manifests\/|manifest unknown|pull access denied|no such host|no such image|not found: manifest/i;

/** @throws VantageError IMAGE_BUILD_FAILED */
export function followBuild(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  name: string,
  onLine: (line: string) => void,
): Promise<void> {
  const failure = (problem: string, cause: unknown): VantageError => {
    const hint = BASE_MISSING.test(problem)
      ? '; --base names another base, --local-base makes one of this machine'
      : '; -v shows the whole output';
    return new VantageError('IMAGE_BUILD_FAILED', `the image of ${name} cannot be built: ${problem}${hint}`, { cause });
  };
  return followProgress(docker, stream, failure, ({ stream: text, error }) => {
    for (const line of (text ?? error ?? '').split('\n')) if (line.trim() !== '') onLine(line.trimEnd());
  });
}
