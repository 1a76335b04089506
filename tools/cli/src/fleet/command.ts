import { Command } from 'commander';
import { number, pair, wholeNumber } from '../option-values.ts';
import { STATE_OPTION } from '../state-option.ts';
import type { FleetOptions } from './run-fleet.ts';

export function fleetCommand(): Command {
  const fleet = new Command('fleet')
    .summary('many light devices against one local hub')
    .description('many light devices against one local hub');
  fleet
    .command('simulate')
    .description('connect devices, give each its twin and one patch, and let them send')
    .option('--devices <n>', 'how many', wholeNumber(1, 10_000), 100)
    .option(...STATE_OPTION)
    .option('--own', 'against a hub for this run only, instead of the one that runs', false)
    .option('--edge', 'as IoT Edge devices: each reports success of the deployment it is given', false)
    .option('--rate <n>', 'messages a second of each device', number(0, 1000), 0.2)
    .option('--seconds <n>', 'how long they send; 0: until Ctrl-C', number(0, 1_000_000), 10)
    .option('--connects <n>', 'connections that are made at one time', wholeNumber(1, 500), 32)
    .option('--prefix <text>', 'names are <prefix>1, <prefix>2, ...', 'sim-')
    .option('--tag <key=value>', 'tag of their twins, to target deployments; may be repeated', pair, {})
    .option('--keep', 'leave the devices registered', false)
    .option('--json', 'the summary as one JSON line', false)
    .addHelpText('after', '\nStatus 1 when a device did not connect or anything was lost.')
    .action(async (options: FleetOptions) => {
      const { runFleet } = await import('./run-fleet.ts');
      if (!(await runFleet(options))) process.exitCode = 1;
    });
  return fleet;
}
