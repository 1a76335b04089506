import { stat } from 'node:fs/promises';
import path from 'node:path';
import { demo } from '@vantage/demo';
import { CONTAINER_VOLUMES } from '@vantage/local-edge';
import { isLocal, type HubOptions } from '../hub/options.ts';
import { CONTAINER_DEMO_MODEL } from '../up/container-files.ts';

/** What `vantage up` puts into templates of its own accord: a deployment to its runtime gets the same. */
export async function localVariables(options: HubOptions): Promise<Readonly<Record<string, string>>> {
  if (!isLocal(options)) return {};
  const inContainers = await stat(path.join(options.state, CONTAINER_VOLUMES)).then(
    () => true,
    () => false,
  );
  return { DEMO_MODEL_CONFIG: inContainers ? CONTAINER_DEMO_MODEL : demo.modelConfig };
}
