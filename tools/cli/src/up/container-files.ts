import path from 'node:path';
import { VantageError, isObject } from '@vantage/contracts';
import type { ModulesContent } from './deployment.ts';

/** Where the ai-pipeline's image has the demo model (its Dockerfile). */
export const CONTAINER_DEMO_MODEL = '/app/models/demo/config_infer.txt';

/**
 * Lets a module that runs in a container read files of this machine: their folders are bound under the same paths, read
 * only, so that a twin says the same with and without containers.
 */
export function bindFolders(content: ModulesContent, moduleId: string, files: readonly string[]): void {
  if (files.length === 0) return;
  const modules = content['$edgeAgent']?.['properties.desired']['modules'];
  const module = isObject(modules) ? modules[moduleId] : undefined;
  const settings = isObject(module) ? module['settings'] : undefined;
  if (!isObject(settings)) throw new VantageError('DEPLOYMENT_INVALID', `the deployment has no module ${moduleId}`);
  // The manifest was generated a moment ago: its createOptions are texts.
  const mutable = settings as Record<string, string>;
  const keys = Object.keys(mutable).filter((key) => /^createOptions\d*$/.test(key));
  const text = keys
    .sort()
    .map((key) => mutable[key] ?? '')
    .join('');
  const options = (text === '' ? {} : JSON.parse(text)) as { HostConfig?: { Binds?: string[] } };
  const folders = new Set(files.map((file) => path.dirname(path.resolve(file))));
  const binds = [...folders].map((folder) => `${folder}:${folder}:ro`);
  for (const key of keys) delete mutable[key];
  mutable['createOptions'] = JSON.stringify({
    ...options,
    HostConfig: { ...options.HostConfig, Binds: [...(options.HostConfig?.Binds ?? []), ...binds] },
  });
}
