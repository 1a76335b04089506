import { Command } from 'commander';

export function configCommand(): Command {
  const config = new Command('config')
    .summary('what a DeepStream file says')
    .description('look into the files of a DeepStream folder');
  config
    .command('explain')
    .description('print what a configuration file says, property by property, and what has no effect here and why')
    .argument('<file>', 'nvinfer (INI, YAML), nvinferserver, tracker, dewarper, nvdsanalytics; others are recognised')
    .option('--json', 'the typed spec, all properties and all problems as one JSON document', false)
    .addHelpText('after', '\nStatus 0 when the file can be used as it is, 1 when there is an error in it.')
    .action(async (file: string, { json }: { readonly json: boolean }) => {
      const { explainFile } = await import('./explain.ts');
      const { text, usable } = await explainFile(file, { json });
      process.stdout.write(text);
      if (!usable) process.exitCode = 1;
    });
  return config;
}
