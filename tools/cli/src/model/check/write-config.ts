import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import type { CheckPlan } from './plan.ts';

/**
 * Writes a configuration that was made, and its labels, beside the model. What is there stays.
 *
 * @returns the files that were written
 * @throws VantageError `MODEL_OUTPUT_FAILED`
 */
export async function writeConfig({ text, labels, facts }: CheckPlan): Promise<string[]> {
  if (text === undefined || !facts) {
    throw new VantageError('MODEL_OUTPUT_FAILED', 'there is a configuration already: --write has nothing to write');
  }
  const folder = path.dirname(facts.file);
  const written: string[] = [];
  const write = async (name: string, content: string): Promise<void> => {
    const file = path.join(folder, name);
    try {
      await writeFile(file, content, { flag: 'wx' });
      written.push(file);
    } catch (error) {
      const reason = codeOf(error) === 'EEXIST' ? 'exists; it stays as it is' : messageOf(error);
      throw new VantageError('MODEL_OUTPUT_FAILED', `${file} ${reason}`, { cause: error });
    }
  };
  await write('config_infer.txt', text);
  if (labels && labels.why.endsWith('labels.txt')) return written;
  if (labels) await write('labels.txt', `${labels.names.join('\n')}\n`);
  return written;
}
