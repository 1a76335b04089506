import { Command } from 'commander';

export function migrateCommand(): Command {
  return new Command('migrate')
    .summary('what to improve in an older deployment')
    .description(
      'what to improve in a template, manifest or twin of Azure DeepStream Accelerator, which run as they are',
    )
    .argument('<file...>', 'templates, manifests, or desired properties of a controllermodule')
    .option('--json', 'print [{"file", "line", "column", "path", "what", "advice"}]')
    .action(async (files: string[], options: { json?: boolean }) => {
      const { migrate } = await import('./migrate.ts');
      await migrate(files, options);
    });
}
