import type { Solution } from './init.ts';

/** What was made, and what a person does next, in the words of a shell. */
export function nextSteps(folder: string, { files }: Solution, node: string): string {
  return [
    `made ${folder} with ${files.join(', ')}`,
    '',
    `  cd ${folder}`,
    `  npx vantage up -d --deployment deployment.template.json      # all of it on this machine, with a demo camera`,
    `  npx vantage status`,
    `  npx vantage twin patch controllermodule @twins/${node}.json   # puts modules/${node} into the pipeline, live`,
    `  npx vantage twin rollback controllermodule                   # and out of it`,
    `  npx vantage down`,
    '',
    'README.md says the rest, also how it gets onto a device.',
    '',
  ].join('\n');
}
