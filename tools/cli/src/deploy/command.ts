import { Command, Option } from 'commander';
import { HUB_HELP, withHub, type HubOptions } from '../hub/options.ts';
import { pair, seconds, wholeNumber } from '../option-values.ts';
import type { ApplyOptions } from './device.ts';
import type { FleetOptions } from './fleet.ts';
import type { ReadOptions } from './read-deployment.ts';

interface DeployOptions extends ApplyOptions, ReadOptions, Omit<FleetOptions, 'id' | 'targetCondition'> {
  readonly id?: string;
  readonly targetCondition?: string;
}

const FLEET_OPTIONS = ['id', 'priority', 'label', 'metric'] as const;

export function deployCommand(): Command {
  const deploy = withHub(new Command('deploy'))
    .summary('give a deployment to a device or a fleet')
    .description('give a deployment to a device or a fleet, follow it, go back')
    .argument('<file>', 'manifest, or template (it is generated on the way)')
    .option('--dry-run', 'only say what would change')
    .addOption(waitOption())
    .option('--target-condition <condition>', 'for a fleet: which devices, such as "tags.site=\'a\'"')
    .option('--id <id>', 'for a fleet: name of the deployment')
    .option('--priority <number>', 'for a fleet: the highest wins', wholeNumber(0), 10)
    .option('--label <name=value>', 'for a fleet; may be repeated', pair, {})
    .option('--metric <name=query>', 'for a fleet: a query that is counted; may be repeated', pair, {})
    .option('--env-file <file>', 'variables of a template (default: .env beside it)')
    .option(
      '-P, --platform <name>',
      'amd64, arm64v8, amd64.dgpu, ... (default: DEFAULT_PLATFORM, then what the device reports, then amd64)',
    )
    .addOption(
      new Option('--style <tool>', 'rules of a template').choices(['iotedgedev', 'vscode']).default('iotedgedev'),
    )
    .option('--modules <folder>', 'modules of a template (default: "modules" beside it)')
    .option('--no-check', 'deploy it whatever is wrong with it')
    .option('--fail-on-warning', 'warnings stop it, too')
    .addOption(blobOption())
    .option('--json', 'print {"changes", "applied", "spilled", "progress"?}')
    .addHelpText(
      'after',
      `${HUB_HELP}

What a device ran before is kept (20 of them, readable by you only): "vantage deploy rollback" goes back.

Status 0: done (with --wait: and everything runs). Status 1: nothing was deployed. Status 2: deployed, and it does not run
(yet); what is wrong is printed.`,
    )
    .action(async (file: string, options: DeployOptions) => {
      if (options.targetCondition === undefined) {
        const given = FLEET_OPTIONS.find((name) => deploy.getOptionValueSource(name) === 'cli');
        if (given !== undefined) {
          return deploy.error(`error: --${given} is for a fleet: say which devices with --target-condition`);
        }
        const { deployToDevice } = await import('./device.ts');
        process.exitCode = await deployToDevice(file, options);
        return;
      }
      const { id, targetCondition } = options;
      if (id === undefined) return deploy.error('error: a deployment for a fleet needs a name: --id <id>');
      if (options.wait !== undefined) {
        return deploy.error(`error: --wait follows one device; who of a fleet has it: vantage deploy show ${id}`);
      }
      const { deployToFleet } = await import('./fleet.ts');
      await deployToFleet(file, { ...options, id, targetCondition });
    });
  withHub(deploy.command('rollback'))
    .description('give a device what it had before; once more takes that back, --steps goes further')
    .option('--steps <number>', 'how far back', wholeNumber(1), 1)
    .option('--dry-run', 'only say what would change')
    .addOption(waitOption())
    .addOption(blobOption())
    .option('--json', 'as for deploy')
    .action(async (options: ApplyOptions & { steps: number }) => {
      const { rollBack } = await import('./device.ts');
      process.exitCode = await rollBack(options.steps, options);
    });
  withHub(deploy.command('history'))
    .description('what a device had before, newest first')
    .option('--json', 'print [{"steps", "replacedAt", "file", "changes"?}]')
    .action(async (options: HubOptions & { json?: boolean }) => {
      const { printHistory } = await import('./device.ts');
      await printHistory(options);
    });
  withHub(deploy.command('list'))
    .description('the deployments for fleets')
    .option('--json', 'as JSON')
    .action(async (options: HubOptions & { json?: boolean }) => {
      const { listFleet } = await import('./fleet.ts');
      await listFleet(options);
    });
  withHub(deploy.command('show'))
    .description('a deployment for a fleet and who has it')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, options: HubOptions & { json?: boolean }) => {
      const { showFleet } = await import('./fleet.ts');
      await showFleet(id, options);
    });
  withHub(deploy.command('remove'))
    .description('take a deployment for a fleet away')
    .argument('<id>')
    .option('--json', 'print {"id", "removed"}')
    .action(async (id: string, options: HubOptions & { readonly json?: boolean }) => {
      const { removeFleet } = await import('./fleet.ts');
      await removeFleet(id, options);
    });
  return deploy;
}

function waitOption(): Option {
  return new Option(
    '--wait [time]',
    'for one device: follow it until everything runs, for 90s, 5m, ... at most (default: 5m)',
  )
    .preset('300')
    .argParser(seconds);
}

function blobOption(): Option {
  return new Option(
    '--blob-connection-file <file>',
    'connection string of a storage account for values of twins that are too large for a hub',
  );
}
