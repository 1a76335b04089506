import { Command } from 'commander';
import type { ManifestCheckOptions } from './check.ts';

export function manifestCommand(): Command {
  const manifest = new Command('manifest').description('look at deployment manifests');
  manifest
    .command('check')
    .description('say what is wrong with a deployment before a device finds out')
    .argument('<file>', 'manifest or template')
    .option('--fail-on-warning', 'warnings make it fail, too')
    .option('--json', 'print {"ok", "problems": [{"severity", "line", "column", "path", "message"}]}')
    .addHelpText(
      'after',
      `
Checks: the official schema, image names, createOptions, ports and binds that clash, routes (syntax, conditions, where they
come from and lead to), secrets that would travel to the cloud, and the twins of Vantage's own modules.

Status 0: nothing is wrong. Status 1: something is, or the file cannot be read.`,
    )
    .action(async (file: string, options: ManifestCheckOptions) => {
      const { checkManifestFile } = await import('./check.ts');
      if (!(await checkManifestFile(file, options))) process.exitCode = 1;
    });
  return manifest;
}
