import path from 'node:path';

const STACK_LINE =
  /(?:at (?:async )?(?:new )?(?<where>\S+) \(|at )(?:file:\/\/)?(?<file>\/.+?):(?<line>\d+)(?::\d+)?\)?$/;

/** One line of an error: what, and where in the node's own files. */
export function describeError(error: unknown, folder: string): string {
  if (!(error instanceof Error)) return `it threw ${typeof error === 'string' ? error : typeof error}`;
  const what = error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
  const place = (error.stack ?? '')
    .split('\n')
    .map((line) => STACK_LINE.exec(line.trim())?.groups)
    .find((groups) => groups?.['file'] !== undefined && decodeURI(groups['file']).startsWith(`${folder}${path.sep}`));
  if (place === undefined) return firstLine(what);
  const { where, file = '', line } = place as { where?: string; file?: string; line?: string };
  return `${firstLine(what)} (${path.relative(folder, decodeURI(file))} line ${line}${where === undefined ? '' : ` in ${where}`})`;
}

function firstLine(text: string): string {
  return text.split('\n').slice(0, 3).join(' ');
}
