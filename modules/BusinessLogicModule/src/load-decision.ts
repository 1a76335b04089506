import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '@vantage/contracts';
import { decide as defaultDecide, type Decision, type DecisionInput } from './decide.ts';
import { decisionFileInvalid } from './errors.ts';

/** Decision logic with a state of its own choosing; the module only keeps it between two steps. */
export type Decide = (
  state: unknown,
  input: DecisionInput,
) => { readonly state: unknown; readonly commands: Decision['commands'] };

/**
 * The logic in `BUSINESS_LOGIC_FILE` (a .ts, .js or .mjs file that exports `decide`), or the default one.
 *
 * @throws VantageError `DECISION_FILE_INVALID`
 */
export async function loadDecision(file: string | undefined): Promise<Decide> {
  if (file === undefined || file === '') return defaultDecide as Decide;
  let exported: unknown;
  try {
    exported = await import(pathToFileURL(path.resolve(file)).href);
  } catch (cause) {
    throw decisionFileInvalid(file, messageOf(cause), cause);
  }
  const decide =
    typeof exported === 'object' && exported !== null && 'decide' in exported ? exported.decide : undefined;
  if (typeof decide !== 'function') throw decisionFileInvalid(file, 'it does not export a function named decide');
  return decide as Decide;
}
