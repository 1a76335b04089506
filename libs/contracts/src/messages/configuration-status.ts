import { z } from 'zod';
import type { DeepReadonly } from '../json.ts';

/**
 * Output `configurationStatus` of ai-pipeline and BusinessLogicModule, to input `configurationStatus` of the controllermodule.
 * Ours.
 *
 * - `starting`: the module has just started; the controllermodule answers by publishing the active configuration.
 * - `applied`, `applied-with-errors`, `rejected`: what the module did with the configuration of `configurationVersion`.
 */
export const CONFIGURATION_STATUSES = ['starting', 'applied', 'applied-with-errors', 'rejected'] as const;

export const statusErrorSchema = z.object({
  path: z
    .string()
    .meta({ description: 'Where, for example components.deepStream.streams[1].configId; empty for the whole.' }),
  message: z.string(),
});

export const configurationStatusSchema = z
  .object({
    module: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be a module id of letters, digits, - and _'),
    configurationVersion: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Desired $version of the controllermodule twin; null when unknown.' }),
    status: z.enum(CONFIGURATION_STATUSES),
    errors: z.array(statusErrorSchema).max(200),
  })
  .meta({ title: 'configuration status' });

export type ConfigurationStatus = (typeof CONFIGURATION_STATUSES)[number];
export type StatusError = DeepReadonly<z.infer<typeof statusErrorSchema>>;
export type ConfigurationStatusMessage = DeepReadonly<z.infer<typeof configurationStatusSchema>>;
