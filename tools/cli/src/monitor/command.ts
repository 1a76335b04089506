import { Command, InvalidArgumentError } from 'commander';
import { STATE_OPTION } from '../state-option.ts';
import type { MonitorOptions } from './monitor.ts';

export function monitorCommand(): Command {
  return new Command('monitor')
    .description('messages that leave for the cloud, as they come (as "az iot hub monitor-events" shows them)')
    .option('--module <module>', 'only those of this module')
    .option('--since <n, time or all>', 'first those kept: after sequence n, of the last 10m, or all')
    .option('--no-follow', 'end after those kept')
    .option('--output <text or json>', 'json: one JSON object a line', output, 'text')
    .option('--export <file>', 'write them as JSON lines into this file instead')
    .option('--count <n>', 'end after so many; status 1 when they do not come in --seconds', whole)
    .option('--seconds <n>', 'end after so long', whole)
    .option(...STATE_OPTION)
    .action(async (options: MonitorOptions) => {
      const { runMonitor } = await import('./monitor.ts');
      await runMonitor(options);
    });
}

function output(text: string): string {
  if (text !== 'text' && text !== 'json') throw new InvalidArgumentError('It is text or json.');
  return text;
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(text);
}
