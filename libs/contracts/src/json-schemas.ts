import { z } from 'zod';
import { configurationStatusSchema } from './messages/configuration-status.ts';
import { clipDocumentSchema, inferenceMessageSchema } from './messages/inference.ts';
import { recordingCommandSchema } from './messages/recording-command.ts';
import { componentsSchema, controllerTwinSchema } from './twins/controller-twin.ts';
import { videoUploaderTwinSchema } from './twins/uploader-twin.ts';
import { aiPipelineTwinSchema, businessLogicTwinSchema, rtspsimTwinSchema } from './twins/module-twins.ts';

const SCHEMAS = {
  'controllermodule.twin': controllerTwinSchema,
  'ai-pipeline.twin': aiPipelineTwinSchema,
  'BusinessLogicModule.twin': businessLogicTwinSchema,
  'VideoUploader.twin': videoUploaderTwinSchema,
  'rtspsim.twin': rtspsimTwinSchema,
  'components.message': componentsSchema,
  'inference.message': inferenceMessageSchema,
  'clip.document': clipDocumentSchema,
  'recording-command.message': recordingCommandSchema,
  'configuration-status.message': configurationStatusSchema,
} as const;

/**
 * JSON Schema files for editors, by file name, generated from the zod schemas. They describe the form to write; the
 * validators accept more (contract J).
 */
export function jsonSchemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([name, schema]) => [
      `${name}.schema.json`,
      `${JSON.stringify(z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }), undefined, 2)}\n`,
    ]),
  );
}
