import { spawn, spawnSync } from 'node:child_process';
import { VantageError } from '@vantage/contracts';
import { findModules, REPOSITORY, type BuildableModule } from './modules.ts';

export interface BuildxOptions {
  /** Names of module folders; default: all. */
  readonly module?: readonly string[];
  readonly platforms: readonly string[];
  /** Where the images go: buildx keeps those of other machines in a registry only. */
  readonly registry: string;
  readonly base?: string;
}

const LAST_LINES = 20;

/**
 * Builds the modules' images with `docker buildx build --push`, for machines other than this one too. Where a module has
 * several plain platforms, `repository:version` names all of them, and each device takes its own.
 *
 * @throws VantageError IMAGE_BUILDX_MISSING, IMAGE_BUILD_FAILED, IMAGE_MODULE_UNKNOWN
 */
export async function buildxImages(
  options: BuildxOptions,
  tell: (line: string) => void,
  onLine: (line: string) => void = () => undefined,
): Promise<void> {
  const { platforms, registry, base } = options;
  const found = await Promise.all(
    platforms.map(async (platform) => ({
      platform,
      modules: await findModules(REPOSITORY, platform, options.module ?? []),
    })),
  );
  requireBuildx();
  /** Tags of the plain platforms by what names all of them: to Docker, amd64.dgpu and amd64 are the same machine. */
  const parts = new Map<string, { readonly module: BuildableModule; readonly tags: string[] }>();
  for (const { platform, modules } of found) {
    for (const module of modules) {
      const tag = `${registry}/${module.tag}`;
      const args = [
        'buildx',
        'build',
        '--platform',
        dockerPlatform(platform),
        '--file',
        module.dockerfile,
        '--tag',
        tag,
      ];
      if (base !== undefined) args.push('--build-arg', `BASE_IMAGE=${base}`);
      await docker(module, [...args, '--push', '.'], onLine);
      tell(`${tag} pushed`);
      if (platform.includes('.')) continue;
      const whole = tag.slice(0, -`-${platform}`.length);
      parts.set(whole, { module, tags: [...(parts.get(whole)?.tags ?? []), tag] });
    }
  }
  for (const [whole, { module, tags }] of parts) {
    if (tags.length < 2) continue;
    await docker(module, ['buildx', 'imagetools', 'create', '--tag', whole, ...tags], onLine);
    tell(`${whole} pushed: ${tags.length} platforms`);
  }
}

/** @throws VantageError IMAGE_BUILDX_MISSING */
function requireBuildx(): void {
  const { status, error } = spawnSync('docker', ['buildx', 'version'], { stdio: 'ignore' });
  if (status === 0) return;
  const what = error ? 'the docker command is not here' : 'this docker has no buildx';
  throw new VantageError(
    'IMAGE_BUILDX_MISSING',
    `${what}: install the docker-buildx plugin (https://docs.docker.com/go/buildx), or leave --buildx out to build in the engine`,
  );
}

/** `arm64v8.jetson` is linux/arm64. */
function dockerPlatform(platform: string): string {
  const machine = platform.split('.')[0] ?? platform;
  return `linux/${{ arm64v8: 'arm64', arm32v7: 'arm/v7' }[machine] ?? machine}`;
}

/** Runs docker in the repository. @throws VantageError IMAGE_BUILD_FAILED with the end of what it said */
function docker({ name }: BuildableModule, args: readonly string[], onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const child = spawn('docker', args, { cwd: REPOSITORY, stdio: ['ignore', 'pipe', 'pipe'] });
    const hear = (text: string): void => {
      for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
        onLine(line);
        said.push(line);
        if (said.length > LAST_LINES) said.shift();
      }
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const fail = (reason: string): void =>
      reject(new VantageError('IMAGE_BUILD_FAILED', `the image of ${name} cannot be built: ${reason}`));
    child.on('error', (error) => fail(error.message));
    child.on('close', (status) => {
      if (status === 0) resolve();
      else fail(`docker ${args.slice(0, 2).join(' ')} ended with status ${status}\n${said.join('\n')}`);
    });
  });
}
