import { Command } from 'commander';
import { STATE_OPTION } from '../state-option.ts';
import type { LocalRegistry } from './registry.ts';

interface TwinOptions {
  readonly state: string;
}

interface PlanOptions extends TwinOptions {
  readonly from?: string;
  readonly json: boolean;
}

export function twinCommand(): Command {
  const twin = new Command('twin').description("read and change the modules' twins");
  twin
    .command('get')
    .description('print a module twin as JSON')
    .argument('<module>', 'such as controllermodule')
    .option(...STATE_OPTION)
    .action(async (module: string, options: TwinOptions) => {
      const registry = await openRegistry(options.state);
      print(await registry.get(module));
    });
  twin
    .command('patch')
    .description('merge a JSON patch into the desired properties (null removes a key, arrays are replaced)')
    .argument('<module>', 'such as controllermodule')
    .argument('<patch>', 'JSON text, or @file, such as \'{"outputVideoLength": 20}\'')
    .option(...STATE_OPTION)
    .action(async (module: string, patch: string, options: TwinOptions) => {
      const { readPatch } = await import('./read-patch.ts');
      const desired = await readPatch(patch);
      const registry = await openRegistry(options.state);
      print((await registry.patch(module, desired)).properties.desired);
    });
  twin
    .command('plan')
    .description('print what a patch would do (live, swap, restart of which part) without applying it')
    .argument('<module>', 'such as controllermodule')
    .argument('<patch>', 'JSON text, or @file, as for patch')
    .option('--from <file>', 'desired properties to start from, instead of those of the running suite')
    .option('--json', 'as JSON', false)
    .option(...STATE_OPTION)
    .action(async (module: string, patch: string, options: PlanOptions) => {
      const { readPatch } = await import('./read-patch.ts');
      const wanted = await readPatch(patch);
      const desired =
        options.from === undefined
          ? (await (await openRegistry(options.state)).get(module)).properties.desired
          : await readPatch(`@${options.from}`);
      const { planTwin } = await import('./plan.ts');
      const plan = planTwin(module, desired, wanted);
      if (options.json) return print(plan);
      const { renderPlan } = await import('./render-plan.ts');
      process.stdout.write(`${renderPlan(plan).join('\n')}\n`);
    });
  return twin;
}

async function openRegistry(state: string): Promise<LocalRegistry> {
  const { readConnection } = await import('../connection.ts');
  const connection = await readConnection(state);
  const { LocalRegistry } = await import('./registry.ts');
  return LocalRegistry.open(connection);
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
