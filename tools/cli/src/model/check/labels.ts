import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { parseLabels } from '@vantage/deepstream';
import type { Proposal } from '../proposal/propose.ts';

/** `labels.txt`, `label.txt`, `coco.names`, `classes.txt`, `model_labels.txt`. */
const LABEL_FILE = /(^|[\\/])((.*[-_.])?(labels?|classes|names)\.txt|.*\.names|(.*[-_])?dict\.txt)$/i;

/** The labels that a user names, or those that lie beside the model. */
export async function findLabels(
  given: string | undefined,
  folder: string,
  files: readonly string[],
): Promise<Proposal['labels']> {
  const found = given === undefined ? files.filter((file) => LABEL_FILE.test(file)) : [];
  const [only] = found;
  const file = given ?? (found.length === 1 && only !== undefined ? path.join(folder, only) : undefined);
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${messageOf(error)}`;
    throw new VantageError('LABEL_FILE_MISSING', `the label file ${file} ${reason}`, { cause: error });
  }
  const { labels } = parseLabels(text, path.basename(file));
  if (labels.length === 0) return undefined;
  return { names: labels, why: `${labels.length} names from ${path.basename(file)}` };
}
