import { Command } from 'commander';
import { HUB_HELP, withHub } from '../hub/options.ts';
import { number } from '../option-values.ts';
import type { WhyOptions } from './why.ts';

export function whyCommand(): Command {
  return withHub(new Command('why'))
    .summary('why there was an alert, or none')
    .description('why there was an alert, or none: what became of the pictures of a camera around a moment')
    .argument('<camera>', 'the name of a sensor, or <pipeline>/<sensor>')
    .option('--at <time>', 'the moment: 2026-01-31T12:00:00Z, 12:00:00 (UTC, today), or 90s, 5m ago (default: 5s ago)')
    .option('--seconds <n>', 'so much before and after it', number(0.1, 300), 10)
    .option('--json', 'print {"pipeline": ..., "decisions": ..., "summary": [...]}', false)
    .addHelpText(
      'after',
      `${HUB_HELP}\n\nThe last ten minutes are kept. Status 0: answered. Status 1: no such camera, or no answer.`,
    )
    .action(async (camera: string, options: WhyOptions) => {
      const { printWhy } = await import('./why.ts');
      await printWhy(camera, options);
    });
}
