import { Command } from 'commander';
import { pair } from '../option-values.ts';

interface ReadFlags {
  readonly json: boolean;
  readonly param: readonly string[];
}

export function skillCommand(): Command {
  const skill = new Command('skill')
    .summary('AI Skills: check, draw, convert')
    .description('AI Skills: check, draw, and take them from Symphony or there');
  const param = [
    '--param <name=value>',
    'what an instance would set; again for more',
    (one: string, all: readonly string[]): readonly string[] => {
      pair(one);
      return [...all, one];
    },
    [] as readonly string[],
  ] as const;
  skill
    .command('check')
    .description('say everything that is wrong with a skill, node by node')
    .argument(
      '<file>',
      'JSON or YAML: of Symphony (kind: Skill), or with nodes and edges at the top; or a twin with skills',
    )
    .option(...param)
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      '\nStatus 0 when there is no error in it, 1 otherwise. Names of models and cameras are looked up in a twin only.',
    )
    .action(async (file: string, options: ReadFlags) => {
      const { checkFile } = await import('./check.ts');
      finish(await checkFile(file, options));
    });
  skill
    .command('show')
    .description('draw the graph of a skill as text, with the settings of its nodes')
    .argument('<file>')
    .option(...param)
    .option('--json', 'nodes and edges with parameters put in, as one JSON document', false)
    .action(async (file: string, options: ReadFlags) => {
      const { showFile } = await import('./show.ts');
      finish(await showFile(file, options));
    });
  skill
    .command('import')
    .description('write a skill of Symphony as an entry of components.skills, nothing left out')
    .argument('<file>')
    .option('--json', 'on one line', false)
    .action(async (file: string, { json }: { readonly json: boolean }) => {
      const { importFile } = await import('./convert.ts');
      finish(await importFile(file, { json }));
    });
  skill
    .command('export')
    .description('write a skill in the form of Symphony, as YAML')
    .argument('<file>')
    .option('--json', 'as JSON', false)
    .action(async (file: string, { json }: { readonly json: boolean }) => {
      const { exportFile } = await import('./convert.ts');
      finish(await exportFile(file, { json }));
    });
  return skill;
}

function finish({
  text,
  problems,
  good,
}: {
  readonly text: string;
  readonly problems?: string;
  readonly good: boolean;
}): void {
  process.stdout.write(text);
  if (problems !== undefined) process.stderr.write(problems);
  if (!good) process.exitCode = 1;
}
