import { Command, InvalidArgumentError } from 'commander';
import { STATE_OPTION } from '../state-option.ts';
import { untilSignal } from '../until-signal.ts';

interface LogsOptions {
  readonly state: string;
  readonly follow: boolean;
  readonly tail: number;
}

export function logsCommand(): Command {
  return new Command('logs')
    .description("a module's output")
    .argument('<module>')
    .option('-f, --follow', 'go on with what comes', false)
    .option('--tail <n>', 'so many of the last lines', tail, 100)
    .option(...STATE_OPTION)
    .action(async (module: string, options: LogsOptions) => {
      const { ControlClient } = await import('../control/client.ts');
      const client = await ControlClient.open(options.state);
      const stop = untilSignal();
      const query = `tail=${options.tail}${options.follow ? '&follow=1' : ''}`;
      try {
        const path = `/vantage/modules/${encodeURIComponent(module)}/log?${query}`;
        for await (const line of client.lines(path, stop.signal)) process.stdout.write(`${line}\n`);
      } finally {
        stop.release();
      }
    });
}

function tail(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 0 to 99999.');
  return Number(text);
}
