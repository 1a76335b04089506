import { desiredOf, findHub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { planTwin } from '@vantage/skill';
import { readPatch } from './read-patch.ts';
import { renderPlan } from './render-plan.ts';
import { wholeTwin } from './whole-twin.ts';

export async function printPlan(
  module: string,
  patch: string,
  options: HubOptions & { readonly from?: string; readonly json: boolean },
): Promise<void> {
  const wanted = await readPatch(patch);
  const desired =
    options.from === undefined
      ? await wholeTwin(desiredOf(await (await findHub(options)).moduleTwin(module)))
      : await readPatch(`@${options.from}`);
  const plan = planTwin(module, desired, wanted);
  const text = options.json ? JSON.stringify(plan, undefined, 2) : renderPlan(plan).join('\n');
  process.stdout.write(`${text}\n`);
}
