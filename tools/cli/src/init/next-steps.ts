import type { Solution } from './init.ts';

/** What was made, and what a person does next, in the words of a shell. */
export function nextSteps(folder: string, { files }: Solution, node: string): string {
  const own = `modules/${node}/`;
  const many = files.filter((file) => file.startsWith(own)).length;
  const names = files.map((file) => (file.startsWith(own) ? `${own} (${many} files)` : file));
  return [
    `made ${folder === '.' ? 'here' : `${folder} with`} ${[...new Set(names)].join(', ')}`,
    '',
    ...(folder === '.' ? [] : [`  cd ${folder}`]),
    `  npx vantage up -d                                             # all of it on this machine, with a demo camera`,
    `  npx vantage status                                           # how it is, and where the Player is`,
    `  npx vantage twin patch controllermodule @twins/${node}.json   # puts modules/${node} into the pipeline, live`,
    `  npx vantage twin rollback controllermodule                   # and out of it`,
    `  npx vantage down`,
    '',
    'README.md says the rest, also how it gets onto a device.',
    '',
  ].join('\n');
}
