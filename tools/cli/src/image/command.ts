import { Command } from 'commander';
import type { ImageBuildOptions } from './build-images.ts';

export function imageCommand(): Command {
  return new Command('image').description("the modules' container images").addCommand(buildCommand());
}

function buildCommand(): Command {
  return new Command('build')
    .description("build the modules' images in the Docker engine that DOCKER_HOST names, or this machine's")
    .option('--base <image>', 'image with Node to build on (default: the one that the Dockerfiles name)')
    .option('--local-base', "make the base from this machine's own Node, ffmpeg and packages: needs no network", false)
    .option('--module <name...>', 'only these')
    .option('--platform <name>', "amd64 or arm64v8 (default: this machine's)")
    .option('-v, --verbose', "print the build's own output to stderr", false)
    .action(async (options: ImageBuildOptions & { verbose: boolean }) => {
      const { buildImages } = await import('./build-images.ts');
      await buildImages(
        options,
        (line) => void process.stdout.write(`${line}\n`),
        (line) => {
          if (options.verbose) process.stderr.write(`${line}\n`);
        },
      );
    });
}
