import { Command } from 'commander';
import { HUB_HELP, withHub } from '../hub/options.ts';
import { wholeNumber } from '../option-values.ts';
import type { LogsOptions } from './logs.ts';

export function logsCommand(): Command {
  return withHub(new Command('logs'))
    .summary("a module's log")
    .description("a module's output: of the local runtime, or of a device through its agent")
    .argument('<module>', 'such as ai-pipeline; edgeAgent and edgeHub on a device')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C', false)
    .option('--tail <n>', 'so many of the last lines (a device answers 500 at most)', wholeNumber(0, 99_999), 100)
    .option('--since <time>', 'only later lines: 10m, 2h, or a time as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'only earlier lines')
    .option(
      '--level <0 to 7>',
      'only lines at least as severe, as syslog counts: 3 errors, 4 warnings, 6 information',
      wholeNumber(0, 7),
    )
    .option('--grep <regex>', 'only lines that fit')
    .option('--json', "a JSON line each, in the agent's form: timestamp, loglevel, text, id, stream", false)
    .addHelpText('after', `${HUB_HELP}\n\nStatus 0: shown. Status 1: no such module, or no answer.`)
    .action(async (module: string, options: LogsOptions) => {
      const { showLogs } = await import('./logs.ts');
      await showLogs(module, options);
    });
}
