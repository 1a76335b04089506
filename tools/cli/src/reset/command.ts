import { Command } from 'commander';
import { ask } from '../ask.ts';
import { STATE_OPTION } from '../state-option.ts';

interface Options {
  readonly state: string;
  readonly force: boolean;
  readonly yes: boolean;
  readonly keepVolumes: boolean;
  readonly json: boolean;
}

export function resetCommand(): Command {
  return new Command('reset')
    .summary('forget all that the runtime has kept')
    .description('make the state folder new: twins, messages, identities, logs and clips are removed')
    .option('--keep-volumes', 'leave what modules wrote into their volumes, such as clips', false)
    .option('--force', 'stop a running runtime first', false)
    .option('-y, --yes', 'do not ask (a script is never asked)', false)
    .option('--json', 'print {"state", "removed": [...]}; never asks', false)
    .option(...STATE_OPTION)
    .action(async ({ state, force, yes, keepVolumes, json }: Options) => {
      const { resetState } = await import('./reset.ts');
      const asks = !yes && !json && process.stdin.isTTY && process.stdout.isTTY;
      const removed = await resetState(state, {
        force,
        keepVolumes,
        confirm: (entries) => (asks ? confirm(state, entries) : Promise.resolve(true)),
      });
      if (json) return void process.stdout.write(`${JSON.stringify({ state, removed })}\n`);
      process.stdout.write(
        removed.length === 0 ? 'nothing was removed\n' : `${state} is new: ${removed.join(', ')} removed\n`,
      );
    });
}

async function confirm(state: string, entries: readonly string[]): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`Remove ${entries.join(', ')} in ${state}? [y/N] `))?.trim() ?? '');
}
