import { Command, Option } from 'commander';
import { HUB_HELP, isLocal, withHub, type HubOptions } from '../hub/options.ts';
import { seconds, wholeNumber } from '../option-values.ts';
import type { MonitorOptions } from './monitor.ts';

export function monitorCommand(): Command {
  return withHub(new Command('monitor'))
    .summary('messages that leave for the cloud, live')
    .description('messages that leave for the cloud, as they come (as "az iot hub monitor-events" shows them)')
    .option('--module <module>', 'only those of this module')
    .option('--since <n, time or all>', 'first those kept: after sequence n, of the last 10m, or all')
    .option('--no-follow', 'end after those kept')
    .addOption(new Option('--output <form>', 'json: one JSON object a line').choices(['text', 'json']).default('text'))
    .option('--json', 'the same as --output json', false)
    .option('--export <file>', 'write them as JSON lines into this file instead')
    .option('--count <n>', 'end after so many; status 1 when they do not come in --seconds', wholeNumber(1))
    .option('--seconds <time>', 'end after so long: 30, 90s, 5m', seconds)
    .addHelpText(
      'after',
      `${HUB_HELP}

What reached an IoT Hub is read from its Event Hubs endpoint, for which there is a tool already: "az iot hub monitor-events".

Status 0: shown. Status 1: no runtime, or fewer messages than --count within --seconds.`,
    )
    .action(async (options: MonitorOptions & HubOptions & { readonly json: boolean }) => {
      if (!isLocal(options)) {
        const { refuseHub } = await import('./refuse-hub.ts');
        refuseHub(options);
      }
      const { runMonitor } = await import('./monitor.ts');
      await runMonitor(options.json ? { ...options, output: 'json' } : options);
    });
}
