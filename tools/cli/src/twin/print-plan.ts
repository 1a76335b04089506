import { mergeTwin, type TwinObject } from '@vantage/contracts';
import { desiredOf, findHub, newValues, planKeeping, readWhole } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { planTwin } from '@vantage/skill';
import { blobAccount } from './blob-account.ts';
import { isWrong } from './change.ts';
import { keptLine } from './keep-large.ts';
import { readPatch } from './read-patch.ts';
import { renderPlan } from './render-plan.ts';

/** @returns exit status: 0 it can be applied, 1 its module would refuse it or leave something out */
export async function printPlan(
  module: string,
  patch: string,
  options: HubOptions & { readonly from?: string; readonly json: boolean },
): Promise<number> {
  const wanted = await readPatch(patch);
  const stored = await storedTwin(module, options);
  const { desired, expired } = await readWhole(stored, blobAccount(options));
  const plan = planTwin(module, desired, wanted);
  const spilled = newValues(planKeeping(mergeTwin(desired, wanted), stored, expired));
  const text = options.json
    ? JSON.stringify({ ...plan, ...(spilled.length === 0 ? {} : { spilled }) }, undefined, 2)
    : [...renderPlan(plan), ...spilled.map((value) => keptLine(value, 'goes into'))].join('\n');
  process.stdout.write(`${text}\n`);
  return isWrong(plan) ? 1 : 0;
}

async function storedTwin(module: string, options: HubOptions & { readonly from?: string }): Promise<TwinObject> {
  if (options.from !== undefined) return readPatch(`@${options.from}`);
  return desiredOf(await (await findHub(options)).moduleTwin(module));
}
