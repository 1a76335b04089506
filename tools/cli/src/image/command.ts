import { Command, InvalidArgumentError, Option } from 'commander';
import type { ImageBuildOptions } from './build-images.ts';
import type { ImageCreateOptions } from './create.ts';
import { collect } from '../option-values.ts';
import { BACKENDS, DEVICE_TYPES } from './device-types.ts';
import type { ImagePushOptions } from './push.ts';
import type { SbomOptions } from './sbom.ts';

export function imageCommand(): Command {
  return new Command('image')
    .description("the modules' container images")
    .addCommand(buildCommand())
    .addCommand(createCommand())
    .addCommand(pushCommand())
    .addCommand(listCommand())
    .addCommand(sbomCommand());
}

interface BuildCommandOptions extends Omit<ImageBuildOptions, 'platform'> {
  readonly platform?: readonly string[];
  readonly buildx: boolean;
  readonly registry?: string;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly path?: string;
  readonly tag?: string;
  readonly context?: string;
  readonly cache: boolean;
}

function buildCommand(): Command {
  const build = new Command('build')
    .description("build the modules' images, or a Dockerfile, in the engine that DOCKER_HOST names, or this machine's")
    .option('--base <image>', 'image with Node to build on (default: the one that the Dockerfiles name)')
    .option('--local-base', "make the base from this machine's own Node, ffmpeg and packages: needs no network", false)
    .option('--module <name...>', 'only these')
    .option('--platform <names>', "amd64, arm64v8, amd64.dgpu, ... or several: a,b (default: this machine's)", list)
    .option('--buildx', 'with "docker buildx", for any machine, and push; needs --registry', false)
    .option('--registry <host>', 'with --buildx: where the images go, such as myregistry.azurecr.io')
    .option('--path <Dockerfile>', 'build this instead of the modules; needs --tag')
    .option('--tag <name>', 'with --path: name of the image')
    .option('--context <folder>', "with --path: what it may copy from (default: the Dockerfile's folder)")
    .option('--no-cache', 'with --path: every step anew')
    .option('-v, --verbose', "print the build's own output to stderr", false)
    .option('--json', 'a JSON line for each thing that was done: {"done"}', false)
    .action(async (options: BuildCommandOptions) => {
      if (options.path !== undefined) {
        if (options.tag === undefined) return build.error('error: --path needs --tag <name>');
        const { buildFile } = await import('./build-file.ts');
        const { path, tag, context, cache } = options;
        return buildFile({ path, tag, cache, ...(context === undefined ? {} : { context }) }, tellIn(options));
      }
      const { platform: platforms, buildx, registry, localBase, ...others } = options;
      const onLine = (line: string): void => {
        if (options.verbose) process.stderr.write(`${line}\n`);
      };
      if (buildx) {
        if (registry === undefined)
          return build.error('error: --buildx pushes what it builds: it needs --registry <host>');
        if (localBase)
          return build.error("error: --local-base is in this machine's engine, where --buildx cannot see it");
        const [{ buildxImages }, { hostPlatform }] = await Promise.all([import('./buildx.ts'), import('./modules.ts')]);
        return buildxImages({ ...others, registry, platforms: platforms ?? [hostPlatform()] }, tellIn(options), onLine);
      }
      const { buildImages } = await import('./build-images.ts');
      for (const platform of platforms ?? [undefined]) {
        const one = { ...others, localBase, ...(platform === undefined ? {} : { platform }) };
        await buildImages(one, tellIn(options), onLine);
      }
    });
  return build;
}

function createCommand(): Command {
  return new Command('create')
    .description('write the Dockerfile of an ai-pipeline with files and packages of your own, and build it')
    .requiredOption('--tag <name>', 'name of the image')
    .requiredOption('--build-dir <folder>', 'where Dockerfile.custom goes; the build copies from the folder above it')
    .addOption(new Option('--device-type <type>', 'what it runs on').choices(DEVICE_TYPES).default('dGPU'))
    .option('--base <image>', "ai-pipeline image to build on (default: this version's for the device type)")
    .option('--add <"SRC DST">', 'copy a file into it; may be repeated', collect, [])
    .option('--run <command>', 'run a command in it; may be repeated', collect, [])
    .option('--no-build-image', 'only write the Dockerfile')
    .option('--force', 'overwrite Dockerfile.custom')
    .option('--no-cache', 'build every step anew')
    .option('--deepstream-image-type <type>', 'as azdacli: accepted, not needed')
    .addOption(new Option('--backend <name...>', 'as azdacli: accepted, not needed').choices(BACKENDS).default([]))
    .option('--light-tracker', 'as azdacli: accepted, it is always there')
    .option('--json', 'a JSON line for each thing that was done: {"done"}', false)
    .action(async (options: ImageCreateOptions & { readonly json: boolean }) => {
      const { createImage } = await import('./create.ts');
      await createImage(options, tellIn(options));
    });
}

function pushCommand(): Command {
  return new Command('push')
    .description('push an image to a registry')
    .requiredOption('--image-name <name>', 'image in this engine')
    .requiredOption('--container-registry <host>', 'such as myregistry.azurecr.io')
    .option('--username <name>', "default: Docker's own login for the registry")
    .option('--password-file <file>', 'default: asked for')
    .option('--json', 'a JSON line for each thing that was done: {"done"}', false)
    .action(async (options: ImagePushOptions & { readonly json: boolean }) => {
      const { pushImage } = await import('./push.ts');
      await pushImage(options, tellIn(options));
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('the images of the modules, and which of them are built')
    .option('--platform <name>', "amd64, arm64v8, amd64.dgpu, ... (default: this machine's)")
    .option('--json', 'print {"engine", "images"}')
    .action(async (options: { platform?: string; json?: boolean }) => {
      const { listImages } = await import('./list.ts');
      await listImages(options);
    });
}

function sbomCommand(): Command {
  return new Command('sbom')
    .description("write which packages are in the modules' images: CycloneDX, a file for each image")
    .option('--module <name...>', 'only these')
    .option('--platform <name>', "amd64, arm64v8, amd64.dgpu, ... (default: this machine's)")
    .option('-o, --out <folder>', 'where the files go', 'sbom')
    .option('--json', 'a JSON line for each thing that was done: {"done"}', false)
    .action(async (options: SbomOptions & { readonly json: boolean }) => {
      const { writeSboms } = await import('./sbom.ts');
      await writeSboms(options, tellIn(options));
    });
}

/** `a,b`; a name twice is meant once. */
function list(text: string): readonly string[] {
  const names = text.split(',').flatMap((name) => name.trim() || []);
  if (names.length === 0) throw new InvalidArgumentError('names are needed, such as amd64,arm64v8');
  return [...new Set(names)];
}

/** What was done, as it happens. */
function tellIn({ json }: { readonly json: boolean }): (line: string) => void {
  return (line) => void process.stdout.write(`${json ? JSON.stringify({ done: line }) : line}\n`);
}
