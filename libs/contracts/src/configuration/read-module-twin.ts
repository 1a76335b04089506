import { MODULES } from '../names.ts';
import { readAiPipelineTwin, readBusinessLogicTwin, type Issues } from './module-twins.ts';
import type { ValidationOptions } from './types.ts';
import { readVideoUploaderTwin } from './uploader-twin.ts';
import { validateConfiguration } from './validate.ts';

type Reader = (desired: unknown, options: ValidationOptions) => Issues;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [MODULES.controller, validateConfiguration],
  [MODULES.aiPipeline, readAiPipelineTwin],
  [MODULES.businessLogic, readBusinessLogicTwin],
  [MODULES.videoUploader, readVideoUploaderTwin],
]);

/**
 * What a module of this house would say of its desired properties. The paths for the controllermodule begin below
 * `azdaConfiguration`.
 *
 * @returns undefined for modules of others
 */
export function readModuleTwin(module: string, desired: unknown, options: ValidationOptions = {}): Issues | undefined {
  return READERS.get(module)?.(desired, options);
}
