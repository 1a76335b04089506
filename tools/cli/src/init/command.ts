import { Command, Option } from 'commander';
import type { InitOptions } from './init.ts';

export function initCommand(): Command {
  return new Command('init')
    .summary('make a solution folder, ready to run')
    .description(
      'make a solution folder: deployment template, variables, a twin change, a custom node; it runs at once',
    )
    .argument('[folder]', 'where to; it must be empty, or not there yet', '.')
    .option('--node <name>', 'name of the custom node: letters, digits and hyphens', 'my-node')
    .addOption(new Option('--language <language>', 'what it is written in').choices(['ts', 'python']).default('ts'))
    .option('--json', 'print {"folder", "files"}', false)
    .addHelpText(
      'after',
      '\nStatus 0: made. Status 1: the folder is in use, or the name cannot be; nothing was written.',
    )
    .action(async (folder: string, options: Omit<InitOptions, 'folder'> & { readonly json: boolean }) => {
      const { init } = await import('./init.ts');
      const made = await init({ ...options, folder });
      if (options.json) return void process.stdout.write(`${JSON.stringify(made)}\n`);
      const { nextSteps } = await import('./next-steps.ts');
      process.stdout.write(nextSteps(folder, made, options.node));
    });
}
