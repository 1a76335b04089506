import { Command } from 'commander';

export function modelCommand(): Command {
  const model = new Command('model').description('bring a model: look at it, pack it, or take a public one');
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
  return model;
}
