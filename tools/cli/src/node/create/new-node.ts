import path from 'node:path';
import { createNode, type CreateOptions } from './create-node.ts';

/** Makes the folder of a node and says what to do next. */
export async function newNode(options: CreateOptions & { readonly json: boolean }): Promise<string> {
  const { folder, files } = await createNode(options);
  if (options.json) return `${JSON.stringify({ folder, files })}\n`;
  const relative = path.relative('', folder);
  const shown = relative.startsWith(`..${path.sep}..`) ? folder : relative || '.';
  const test = options.language === 'ts' ? 'node --test' : 'python3 -m unittest';
  return [
    `made ${shown} with ${files.join(', ')}`,
    '',
    `  npx vantage node run ${shown}`,
    `  npx vantage node test localhost:6677`,
    `  (cd ${shown} && ${test})`,
    '',
  ].join('\n');
}
