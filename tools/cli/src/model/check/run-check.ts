import { VantageError } from '@vantage/contracts';
import { checkModel, type CheckOptions } from './check.ts';
import { checkJson, checkText } from './report.ts';
import { writeConfig } from './write-config.ts';

const MAX_SECONDS = 300;

/** `vantage model check`: the text for stdout. */
export async function runCheck(
  options: CheckOptions,
  { json, write }: { readonly json: boolean; readonly write: boolean },
): Promise<string> {
  if (!(options.seconds >= 0 && options.seconds <= MAX_SECONDS)) {
    throw new VantageError('SECONDS_INVALID', `--seconds must be a number from 0 to ${MAX_SECONDS}`);
  }
  const check = await checkModel(options);
  const written = write ? await writeConfig(check.plan) : [];
  for (const file of written) process.stderr.write(`written: ${file}\n`);
  return json ? checkJson(check) : checkText(check);
}
