import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';
import { buildFile } from './build-file.ts';
import { customDockerfile } from './custom-dockerfile.ts';
import { PLATFORMS, type DeviceType } from './device-types.ts';
import { findModules, REPOSITORY } from './modules.ts';

export interface ImageCreateOptions {
  readonly tag: string;
  readonly buildDir: string;
  readonly deviceType: DeviceType;
  readonly base?: string;
  readonly add: readonly string[];
  readonly run: readonly string[];
  readonly deepstreamImageType?: string;
  readonly backend: readonly string[];
  readonly lightTracker?: boolean;
  readonly buildImage: boolean;
  readonly force?: boolean;
  readonly cache: boolean;
}

/** Writes `Dockerfile.custom` into the build folder and builds it. @throws VantageError CUSTOM_IMAGE_INVALID, IMAGE_BUILD_FAILED */
export async function createImage(options: ImageCreateOptions, tell: (line: string) => void): Promise<void> {
  const { buildDir, tag, deviceType, add, run } = options;
  const isFolder = await stat(buildDir).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new VantageError('CUSTOM_IMAGE_INVALID', `--build-dir ${buildDir} is no folder`);
  const base = options.base ?? (await pipelineImage(deviceType));
  const file = path.join(buildDir, 'Dockerfile.custom');
  try {
    await writeFile(file, customDockerfile({ base, add, run }), { flag: options.force ? 'w' : 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    throw new VantageError('CUSTOM_IMAGE_INVALID', `${file} is there already; --force writes it anew`);
  }
  tell(`${file} written`);
  for (const note of notesOn(options)) tell(`note: ${note}`);
  if (options.buildImage)
    await buildFile({ path: file, tag, context: path.dirname(path.resolve(buildDir)), cache: options.cache }, tell);
}

async function pipelineImage(deviceType: DeviceType): Promise<string> {
  const [module] = await findModules(REPOSITORY, PLATFORMS[deviceType], ['ai-pipeline']);
  return module?.tag ?? '';
}

/** Options of azdacli that are taken and need nothing here. */
function notesOn({ deepstreamImageType, backend, lightTracker }: ImageCreateOptions): string[] {
  return [
    ...(deepstreamImageType === undefined
      ? []
      : [
          `--deepstream-image-type ${deepstreamImageType}: there is no DeepStream in the image; --device-type says what it holds`,
        ]),
    ...(backend.length > 0
      ? [
          '--backend: models on a Triton are reached over the network; name its address in the nvinferserver configuration',
        ]
      : []),
    ...(lightTracker ? ['--light-tracker: it is in every image; a twin names it as "light-tracker"'] : []),
  ];
}
