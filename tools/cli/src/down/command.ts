import { Command } from 'commander';
import { STATE_OPTION } from '../state-option.ts';

export function downCommand(): Command {
  return new Command('down')
    .summary('stop it; what it keeps stays')
    .description('stop the local runtime and its modules, from any terminal; what it keeps stays')
    .option('--json', 'print {"state", "pid": number or null}', false)
    .option(...STATE_OPTION)
    .action(async ({ state, json }: { readonly state: string; readonly json: boolean }) => {
      const { requireRuntime, stopRuntime } = await import('./down.ts');
      const pid = await stopRuntime(state);
      // A folder where nothing ever ran is a mistake in --state rather than a wish that is fulfilled.
      if (pid === undefined) await requireRuntime(state);
      if (json) return void process.stdout.write(`${JSON.stringify({ state, pid: pid ?? null })}\n`);
      process.stdout.write(
        pid === undefined ? `nothing runs in ${state}\n` : `the runtime in ${state} (pid ${pid}) has ended\n`,
      );
    });
}
