import { z } from 'zod';
import {
  MODULES,
  aiPipelineTwinSchema,
  businessLogicTwinSchema,
  controllerTwinSchema,
  rtspsimTwinSchema,
  videoUploaderTwinSchema,
  type Json,
} from '@vantage/contracts';

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  [MODULES.controller]: controllerTwinSchema,
  [MODULES.aiPipeline]: aiPipelineTwinSchema,
  [MODULES.businessLogic]: businessLogicTwinSchema,
  [MODULES.videoUploader]: videoUploaderTwinSchema,
  [MODULES.rtspsim]: rtspsimTwinSchema,
};

/** JSON Schema of a module's desired properties; null for modules of others. */
export function twinSchema(module: string): Json | null {
  const schema = Object.hasOwn(SCHEMAS, module) ? SCHEMAS[module] : undefined;
  return schema ? (z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Json) : null;
}
