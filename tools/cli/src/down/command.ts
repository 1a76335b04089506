import { Command } from 'commander';
import { STATE_OPTION } from '../state-option.ts';

export function downCommand(): Command {
  return new Command('down')
    .description('stop the local runtime and its modules, from any terminal; what it keeps stays')
    .option(...STATE_OPTION)
    .action(async ({ state }: { state: string }) => {
      const { requireRuntime, stopRuntime } = await import('./down.ts');
      const pid = await stopRuntime(state);
      // A folder where nothing ever ran is a mistake in --state rather than a wish that is fulfilled.
      if (pid === undefined) await requireRuntime(state);
      process.stdout.write(
        pid === undefined ? `nothing runs in ${state}\n` : `the runtime in ${state} (pid ${pid}) has ended\n`,
      );
    });
}
