import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { VantageError, codeOf, isObject, messageOf } from '@vantage/contracts';
import { readConnection } from '../connection.ts';
import type { LocalRegistry } from './registry.ts';

interface TwinOptions {
  readonly state: string;
}

export function twinCommand(): Command {
  const twin = new Command('twin').description("read and change the modules' twins");
  const stateOption = ['--state <folder>', 'folder of the local runtime', '.vantage'] as const;
  twin
    .command('get')
    .description('print a module twin as JSON')
    .argument('<module>', 'such as controllermodule')
    .option(...stateOption)
    .action(async (module: string, options: TwinOptions) => {
      const registry = await openRegistry(options.state);
      print(await registry.get(module));
    });
  twin
    .command('patch')
    .description('merge a JSON patch into the desired properties (null removes a key, arrays are replaced)')
    .argument('<module>', 'such as controllermodule')
    .argument('<patch>', 'JSON text, or @file, such as \'{"outputVideoLength": 20}\'')
    .option(...stateOption)
    .action(async (module: string, patch: string, options: TwinOptions) => {
      const desired = await readPatch(patch);
      const registry = await openRegistry(options.state);
      print((await registry.patch(module, desired)).properties.desired);
    });
  return twin;
}

async function openRegistry(state: string): Promise<LocalRegistry> {
  const connection = await readConnection(state);
  // Loaded when asked for: the Azure client takes its time.
  const { LocalRegistry } = await import('./registry.ts');
  return LocalRegistry.open(connection);
}

async function readPatch(text: string): Promise<Readonly<Record<string, unknown>>> {
  const json = text.startsWith('@') ? await readPatchFile(text.slice(1)) : text;
  let patch: unknown;
  try {
    patch = JSON.parse(json);
  } catch (error) {
    throw new VantageError('PATCH_INVALID', `the patch is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(patch)) throw new VantageError('PATCH_INVALID', 'the patch must be a JSON object');
  return patch;
}

async function readPatchFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new VantageError('PATCH_INVALID', `the patch file ${file} ${reason}`, { cause: error });
  }
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
