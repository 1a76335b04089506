import { Command } from 'commander';
import { HUB_HELP, withHub, type HubOptions } from '../hub/options.ts';
import { seconds, wholeNumber } from '../option-values.ts';
import type { ChangeOptions, Wish } from './change.ts';

interface GetOptions extends HubOptions {
  readonly desired?: boolean;
  readonly reported?: boolean;
  readonly raw?: boolean;
}

interface PlanOptions extends HubOptions {
  readonly from?: string;
  readonly json: boolean;
}

export function twinCommand(): Command {
  const twin = new Command('twin').description("read and change the modules' twins").addHelpText(
    'after',
    `${HUB_HELP}

A change is validated and planned as the modules do it, applied only if nobody else changed the twin meanwhile, and kept:
"vantage twin rollback" takes it back. A path is written as in error messages: azdaConfiguration.components.sensors[0].name`,
  );
  withHub(twin.command('get'))
    .description('print a module twin as JSON, or a part of it')
    .argument('<module>', 'such as controllermodule')
    .argument('[path]', 'part of the desired (or reported) properties')
    .option('--desired', 'the desired properties only')
    .option('--reported', 'the reported properties only')
    .option('--raw', 'as the hub has it: values in blobs by their address')
    .option('--json', 'accepted: it is JSON anyway')
    .action(async (module: string, path: string | undefined, options: GetOptions) => {
      const { getTwin } = await import('./get.ts');
      await getTwin(module, path, options);
    });
  changing(twin.command('set'))
    .description('set values: path=value (JSON, or text as it stands; null removes)')
    .argument('<module>')
    .argument('<path=value...>')
    .action(async (module: string, assignments: string[], options: ChangeOptions) => {
      const { parseAssignment, withValue } = await import('./set.ts');
      const parsed = assignments.map(parseAssignment);
      await change(module, (desired) => parsed.reduce((now, { keys, value }) => withValue(now, keys, value), desired), {
        ...options,
        typed: parsed.map(({ path }) => path),
      });
    });
  changing(twin.command('patch'))
    .description('merge a JSON patch into the desired properties (null removes a key, arrays are replaced)')
    .argument('<module>', 'such as controllermodule')
    .argument('<patch>', 'JSON text, or @file, such as \'{"outputVideoLength": 20}\'')
    .action(async (module: string, patch: string, options: ChangeOptions) => {
      const { patchWith, readPatch } = await import('./read-patch.ts');
      await change(module, patchWith(await readPatch(patch)), options);
    });
  changing(twin.command('apply'))
    .description('make the desired properties what a file says, no more and no less')
    .argument('<module>')
    .requiredOption('-f, --file <file>', 'JSON')
    .action(async (module: string, options: ChangeOptions & { file: string }) => {
      const { readPatch } = await import('./read-patch.ts');
      const wanted = await readPatch(`@${options.file}`);
      await change(module, () => wanted, options);
    });
  changing(twin.command('edit'))
    .description('change the desired properties in $EDITOR')
    .argument('<module>')
    .action(async (module: string, options: ChangeOptions) => {
      const { changeByEditor } = await import('./edit.ts');
      process.exitCode = await changeByEditor(module, options);
    });
  withHub(twin.command('plan'))
    .description('print what a patch would do (live, swap, restart of which part) without applying it')
    .argument('<module>', 'such as controllermodule')
    .argument('<patch>', 'JSON text, or @file, as for patch')
    .option('--from <file>', 'desired properties to start from, instead of those of the hub')
    .option('--json', 'print {"effects", "issues", "refused", "spilled"?}', false)
    .addHelpText('after', '\nStatus 0: it can be applied. Status 1: there are errors in it, or it cannot be read.')
    .action(async (module: string, patch: string, options: PlanOptions) => {
      const { printPlan } = await import('./print-plan.ts');
      process.exitCode = await printPlan(module, patch, options);
    });
  withHub(twin.command('history'))
    .description('what a twin was before, newest first')
    .argument('<module>')
    .option('--json', 'print [{"steps", "replacedAt", "file", "changes"?}]')
    .action(async (module: string, options: HubOptions & { json?: boolean }) => {
      const { printTwinHistory } = await import('./change.ts');
      await printTwinHistory(module, options);
    });
  changing(twin.command('rollback'), false)
    .description('put a twin back to what it was; once more takes that back, --steps goes further')
    .argument('<module>')
    .option('--steps <number>', 'how far back', wholeNumber(1), 1)
    .action(async (module: string, options: ChangeOptions & { steps: number }) => {
      const { rollBackTwin } = await import('./change.ts');
      process.exitCode = await rollBackTwin(module, options.steps, options);
    });
  withHub(twin.command('watch'))
    .description('print what changes in a twin, a JSON line each, until Ctrl-C')
    .argument('<module>')
    .option('--seconds <time>', 'end after so long: 30, 90s, 5m', seconds)
    .option('--json', 'accepted: it is JSON anyway')
    .action(async (module: string, options: HubOptions & { seconds?: number }) => {
      const { watchTwin } = await import('./watch.ts');
      await watchTwin(module, options);
    });
  return twin;
}

function changing(command: Command, many = true): Command {
  withHub(command)
    .option('--dry-run', 'only say what it would do')
    .option('--force', 'apply what its module would refuse, too')
    .option('--verify <folder>', 'apply it only if the clips of this folder do what they should (vantage verify)')
    .option('--blob-connection-file <file>', 'connection string of a storage account for values that are too large')
    .option('--json', 'print {"device", "state", "version"?, "plan"}');
  return many ? command.option('--where <condition>', 'on every device that fits, such as "tags.site=\'a\'"') : command;
}

async function change(module: string, wish: Wish, options: ChangeOptions): Promise<void> {
  const { changeTwins } = await import('./change.ts');
  process.exitCode = await changeTwins(module, wish, options);
}
