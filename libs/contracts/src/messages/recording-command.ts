import { z } from 'zod';
import type { DeepReadonly } from '../json.ts';
import { recordingRequestSchema } from '../twins/module-twins.ts';

/** Why a recording was started: so many objects of a label inside a region. Ours; consumers may ignore it. */
export const recordingReasonSchema = z.object({
  sensor: z.string(),
  region: z.string().meta({ description: 'Label of the region.' }),
  label: z.string().meta({ description: 'Label of the objects.' }),
  count: z.int().min(1),
});

/** BusinessLogicModule output `recordingOutput` (C.4). Extra keys, such as `$version` of a forwarded twin, are allowed. */
export const recordingCommandSchema = z
  .object({
    startRecording: z.array(recordingRequestSchema).max(256),
    reason: z.array(recordingReasonSchema).optional(),
  })
  .meta({ title: 'recording command' });

export type RecordingReason = DeepReadonly<z.infer<typeof recordingReasonSchema>>;
export type RecordingCommand = DeepReadonly<z.infer<typeof recordingCommandSchema>>;
