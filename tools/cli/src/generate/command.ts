import { Command, Option } from 'commander';
import type { GenerateCommandOptions } from './generate.ts';

export function generateCommand(): Command {
  return new Command('generate')
    .description('make the deployment manifest of a template')
    .argument('[template]', 'deployment template', 'deployment.template.json')
    .option('--env-file <file>', 'variables (default: .env beside the template, then in the current folder)')
    .option('-P, --platform <name>', 'amd64, arm64v8, amd64.dgpu, ... (default: DEFAULT_PLATFORM, then amd64)')
    .addOption(
      new Option('--style <tool>', 'whose rules for variables and images')
        .choices(['iotedgedev', 'vscode'])
        .default('iotedgedev'),
    )
    .option('--modules <folder>', 'folder of the modules (default: MODULES_PATH, then "modules" beside the template)')
    .option('-o, --out <folder>', 'where the manifest goes; - is stdout (default: CONFIG_OUTPUT_DIR, then config)')
    .option('--no-check', 'write the manifest whatever is wrong with it')
    .option('--fail-on-warning', 'warnings stop it, too')
    .option('--watch', 'again whenever the template, the variables or a module.json change')
    .option('--json', 'print {"ok", "manifest": path or null, "problems": [...]}')
    .addHelpText(
      'after',
      `
Variables that are set in the shell win over those of the file (with --style vscode the file wins). A manifest with an
error is not written; what was written before stays.

Status 0: written. Status 1: there were errors (or warnings with --fail-on-warning), or a file cannot be read.`,
    )
    .action(async (template: string, options: GenerateCommandOptions) => {
      const { generate } = await import('./generate.ts');
      if (!(await generate(template, options))) process.exitCode = 1;
    });
}
