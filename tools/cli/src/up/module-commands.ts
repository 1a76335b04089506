import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import type { ModuleCommand } from '@vantage/local-edge';
import type { Ffmpeg } from '@vantage/media';
import { NODE_FLAGS } from '../node-flags.ts';
import { REPOSITORY } from './deployment.ts';

export interface ModuleCommandOptions {
  /** Port that rtspsim serves on; in a container it would be 554. */
  readonly rtspPort: number;
  /** Folder of the files it serves. */
  readonly mediaFolder: string;
  readonly ffmpeg: Ffmpeg;
  /** Where folders of custom nodes start from; default: where the command was called. */
  readonly nodeRoot?: string;
}

interface ModuleJson {
  readonly image: { readonly repository: string };
  /** Ours: how the module runs without a container. */
  readonly process?: { readonly command: readonly string[] };
}

/** From an image of the deployment to the process that stands for it: the `process` entry of its `module.json`. */
export function moduleCommands(options: ModuleCommandOptions): (image: string, moduleId: string) => ModuleCommand {
  const folder = path.join(REPOSITORY, 'modules');
  const byRepository = new Map<string, { cwd: string; json: ModuleJson }>();
  for (const name of readdirSync(folder)) {
    const cwd = path.join(folder, name);
    const json = JSON.parse(readFileSync(path.join(cwd, 'module.json'), 'utf8')) as ModuleJson;
    byRepository.set(json.image.repository.toLowerCase(), { cwd, json });
  }
  const env = {
    FFMPEG_PATH: options.ffmpeg.path,
    ORT_DISABLE_TELEMETRY: '1',
    VANTAGE_METRICS_PORT: '0',
    RTSPSIM_PORT: String(options.rtspPort),
    RTSPSIM_MEDIA: options.mediaFolder,
    CUSTOM_NODE_ROOT: options.nodeRoot ?? process.cwd(),
  };
  return (image) => {
    const repository = image.replace(/:[^/:]*$/, '').toLowerCase();
    const found = byRepository.get(repository) ?? inRegistry(byRepository, repository);
    const [command, ...args] = found?.json.process?.command ?? [];
    if (!found || command === undefined) {
      throw new VantageError(
        'IMAGE_WITHOUT_PROCESS',
        `${image} has no process to stand for it: no module.json in modules/ has this repository and a "process" entry`,
      );
    }
    // `node` means the Node that runs us: it is the one known to be new enough.
    const isNode = command === 'node';
    return {
      command: isNode ? process.execPath : command,
      args: isNode ? [...NODE_FLAGS, ...args] : args,
      cwd: found.cwd,
      env,
    };
  };
}

/** A solution names the images of Vantage in a registry of its own: `my.azurecr.io/vantage/ai-pipeline`. */
function inRegistry<T>(byRepository: ReadonlyMap<string, T>, repository: string): T | undefined {
  for (const [own, found] of byRepository) if (repository.endsWith(`/${own}`)) return found;
  return undefined;
}
