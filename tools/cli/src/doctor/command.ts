import { Command } from 'commander';

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what this machine can run, why not more')
    .description('what this machine can run, why not more, and what to do about it')
    .option('--json', 'one JSON document', false)
    .addHelpText('after', '\nStatus 0 when pipelines run here, however slowly; 1 when something they need is missing.')
    .action(async ({ json }: { readonly json: boolean }) => {
      const { examine } = await import('./examine.ts');
      const { renderDiagnosis } = await import('./render.ts');
      const diagnosis = await examine();
      process.stdout.write(json ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : renderDiagnosis(diagnosis));
      if (!diagnosis.canRun) process.exitCode = 1;
    });
}
