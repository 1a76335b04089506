import { Command } from 'commander';
import type { RouteTestOptions } from './run-tests.ts';

export function routeCommand(): Command {
  const route = new Command('route').description('try the routes of edgeHub');
  route
    .command('test')
    .description('say what a route or condition means, what is wrong with it, and whether it takes a message')
    .option('--route <text>', 'a route, such as "FROM /messages/* WHERE as_number(temp) > 50 INTO $upstream"')
    .option('--condition <text>', 'a condition by itself')
    .option('--message <file>', 'JSON: {"properties": {}, "systemProperties": {}, "body": "text"}; - is stdin')
    .option('--batch <file>', 'JSON lines: {"id", "route" or "condition", "message"?}; - is stdin')
    .option('--manifest <file>', 'every route of a deployment or template')
    .option('--json', 'accepted: it is JSON anyway')
    .addHelpText(
      'after',
      `
Prints a JSON line for each: {"id", "source", "condition", "sink", "result": true, false, "undefined" or null, "error"?}.
result is null without a message. A message may say where it comes from (moduleId, output, deviceId, kind, or source).

Status 0: everything was answered; in a batch also when lines have an error. Status 1: the one route or condition, or a
route of the manifest, has an error, or the command could not run.`,
    )
    .action(async (options: RouteTestOptions) => {
      const { runRouteTests } = await import('./run-tests.ts');
      if (!(await runRouteTests(options))) process.exitCode = 1;
    });
  return route;
}
