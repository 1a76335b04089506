import { z } from 'zod';
import type { DeepReadonly } from '../json.ts';

/** Defaults of the ai-pipeline twin. Seconds, frames. */
export const AI_PIPELINE_DEFAULTS = {
  /** The default of the original's code; its template sets 10 (B.3). */
  outputVideoLength: 30,
  /** The original's `AUTO_STOP_RECORD_TIMEOUT`; its template sets 60. 0 = never (B.3, J). */
  autoStopRecordingTime: 300,
  /** The original's `NFRAMES_TO_SEND_DATA` (C.2, J). */
  messageEveryNFrames: 30,
  /** Ours: what a clip shows of the time before its start. */
  preRollTime: 2,
  /** Ours: what a clip shows of the time after its end. */
  postRollTime: 2,
  /** Ours: what clips may take of the disk; 0 = as much as there is. */
  recordingBudgetMB: 2048,
} as const;

/** Desired properties of the ai-pipeline (B.3). */
export const aiPipelineTwinSchema = z
  .object({
    outputVideoLength: z.number().min(1).max(3600).optional().meta({
      description: 'Seconds. The longest clip; a new one starts without a gap.',
      default: AI_PIPELINE_DEFAULTS.outputVideoLength,
    }),
    autoStopRecordingTime: z.number().min(0).max(86_400).optional().meta({
      description: 'Seconds after which a recording stops by itself; 0 = never.',
      default: AI_PIPELINE_DEFAULTS.autoStopRecordingTime,
    }),
    messageEveryNFrames: z.int().min(1).max(100_000).optional().meta({
      description: 'One inference message every so many frames. Ours.',
      default: AI_PIPELINE_DEFAULTS.messageEveryNFrames,
    }),
    preRollTime: z.number().min(0).max(60).optional().meta({
      description: 'Seconds of video before the start of a recording that its first clip contains. Ours.',
      default: AI_PIPELINE_DEFAULTS.preRollTime,
    }),
    postRollTime: z.number().min(0).max(300).optional().meta({
      description: 'Seconds that a recording goes on after it was told to stop. Ours.',
      default: AI_PIPELINE_DEFAULTS.postRollTime,
    }),
    recordingBudgetMB: z.number().min(0).max(100_000_000).optional().meta({
      description:
        'Megabytes that clips may take of the disk, the oldest go first; 0 = no limit. 5 % of the disk stay free in any case. Ours.',
      default: AI_PIPELINE_DEFAULTS.recordingBudgetMB,
    }),
  })
  .meta({ title: 'ai-pipeline twin' });

export const recordingRequestSchema = z.object({
  configId: z.string().min(1).meta({ description: 'The id of a pipelineConfig.' }),
  state: z.boolean().meta({ description: 'true = record, false = stop.' }),
});

/** Desired properties of the BusinessLogicModule (B.4). */
export const businessLogicTwinSchema = z
  .object({
    startRecording: z.array(recordingRequestSchema).max(256).optional().meta({ description: 'Recording by hand.' }),
  })
  .meta({ title: 'BusinessLogicModule twin' });

/** Desired properties of rtspsim: none (B.5). */
export const rtspsimTwinSchema = z.object({}).meta({ title: 'rtspsim twin' });

export type AiPipelineTwin = DeepReadonly<z.infer<typeof aiPipelineTwinSchema>>;
export type BusinessLogicTwin = DeepReadonly<z.infer<typeof businessLogicTwinSchema>>;
export type RtspsimTwin = DeepReadonly<z.infer<typeof rtspsimTwinSchema>>;
export type RecordingRequest = DeepReadonly<z.infer<typeof recordingRequestSchema>>;
