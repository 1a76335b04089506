import { connectEngine, findImage } from '@vantage/local-edge';
import { table } from '../table.ts';
import { findModules, hostPlatform, REPOSITORY } from './modules.ts';

/** The images of the modules for a platform, and which of them this machine's engine has. */
export async function listImages({
  platform,
  json,
}: {
  readonly platform?: string;
  readonly json?: boolean;
}): Promise<void> {
  const modules = await findModules(REPOSITORY, platform ?? hostPlatform(), []);
  const docker = await connectEngine().catch(() => undefined);
  const images = await Promise.all(
    modules.map(async ({ name, tag, dockerfile }) => {
      const image = docker && (await findImage(docker, tag));
      return {
        module: name,
        tag,
        dockerfile,
        ...(image ? { id: image.Id, sizeBytes: image.Size, created: image.Created } : {}),
      };
    }),
  );
  if (json) return void process.stdout.write(`${JSON.stringify({ engine: docker !== undefined, images }, null, 2)}\n`);
  const rows = images.map(({ module, tag, sizeBytes, created }) => [
    module,
    tag,
    sizeBytes === undefined ? (docker ? 'not built' : 'no Docker engine here') : `${Math.round(sizeBytes / 1e6)} MB`,
    created ?? '',
  ]);
  process.stdout.write(`${table(['module', 'image', 'size', 'built'], rows).join('\n')}\n`);
}
