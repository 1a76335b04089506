import { Command } from 'commander';
import { collect, number } from '../option-values.ts';
import type { CheckOptions } from './check/check.ts';
import type { PackOptions } from './pack/pack.ts';

export function modelCommand(): Command {
  const model = new Command('model')
    .summary('check, pack, download a model')
    .description('bring a model: look at it, pack it, or take a public one');
  const catalogOption = ['--catalog <file>', 'a catalog of your own instead of models/catalog.json'] as const;
  model
    .command('list')
    .description('public models that run as they are')
    .option(...catalogOption)
    .option('--json', 'with addresses, digests and sizes', false)
    .action(async (options: { readonly json: boolean; readonly catalog?: string }) => {
      const { listModels } = await import('./catalog/list.ts');
      process.stdout.write(await listModels(options));
    });
  model
    .command('get')
    .description('download a public model with its configuration; goes on where it was stopped')
    .argument('<name>', 'as "vantage model list" shows it')
    .option('--out <folder>', 'where to (default: .vantage/models/<name>)')
    .option(...catalogOption)
    .option('--json', 'one JSON line: folder, files, licence', false)
    .action(
      async (name: string, options: { readonly out?: string; readonly catalog?: string; readonly json: boolean }) => {
        const { getModel } = await import('./catalog/get.ts');
        process.stdout.write(await getModel({ name, ...options }));
      },
    );
  model
    .command('check')
    .description(
      'look at a model: inputs, outputs, parser, preparation, a configuration, what it sees and what it costs',
    )
    .argument('<model>', 'ONNX file, folder, zip, or model configuration')
    .option('--images <path>', 'picture, folder of pictures or video to look at; again for more', collect, NONE)
    .option('--draw <file>', 'write the first picture with what was found, as PNG')
    .option('--write', 'write the proposed configuration and labels beside the model', false)
    .option('--labels <file>', 'names of the classes, one a line')
    .option('--parser <name>', 'output parser, where names and shapes do not tell')
    .option('--select <file>', 'which model of a folder or zip with several')
    .option('--seconds <n>', 'how long each measurement takes; 0 measures nothing', number(0, 600), 2)
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      '\nStatus 1 with one sentence when the model cannot run here. Nothing is changed without --write.',
    )
    .action(async (given: string, { json, write, ...options }: CheckFlags) => {
      const { runCheck } = await import('./check/run-check.ts');
      process.stdout.write(await runCheck({ given, ...options }, { json, write }));
    });
  model
    .command('pack')
    .description('make the zip that a twin names in unsecureZipUrl')
    .argument('<model>', 'ONNX file or folder; without a configuration the one that "check" proposes is put in')
    .requiredOption('--out <zip>', 'the zip to write')
    .option('--labels <file>', 'names of the classes, one a line')
    .option('--parser <name>', 'output parser, where names and shapes do not tell')
    .option('--select <file>', 'which model of a folder with several')
    .option('--json', 'one JSON line: zip, sha256, files', false)
    .action(async (given: string, options: Omit<PackOptions, 'given'>) => {
      const { packModel } = await import('./pack/pack.ts');
      process.stdout.write(await packModel({ given, ...options }));
    });
  return model;
}

type CheckFlags = Omit<CheckOptions, 'given'> & { readonly json: boolean; readonly write: boolean };

const NONE: readonly string[] = [];
