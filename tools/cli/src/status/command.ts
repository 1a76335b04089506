import { Command } from 'commander';
import { STATE_OPTION } from '../state-option.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('how the local runtime and its modules are')
    .option(...STATE_OPTION)
    .option('--json', 'the whole of it as JSON', false)
    .action(async ({ state, json }: { state: string; json: boolean }) => {
      const { ControlClient } = await import('../control/client.ts');
      const { renderStatus } = await import('./render.ts');
      const status = await (await ControlClient.open(state)).status();
      process.stdout.write(
        json ? `${JSON.stringify(status, undefined, 2)}\n` : `${renderStatus(status, Date.now())}\n`,
      );
    });
}
