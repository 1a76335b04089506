import { isObject } from '../json.ts';
import { recordingCommandSchema, type RecordingCommand } from '../messages/recording-command.ts';
import {
  AI_PIPELINE_DEFAULTS,
  aiPipelineTwinSchema,
  businessLogicTwinSchema,
  recordingRequestSchema,
  type RecordingRequest,
} from '../twins/module-twins.ts';
import { pathOf, Report, typeName, withoutNulls } from './report.ts';
import type { ConfigIssue } from './types.ts';

const MAX_REQUESTS = 256;

export interface Issues {
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
}

/** The ai-pipeline twin with defaults for what is absent or wrong. Seconds, frames. */
export type AiPipelineSettings = { readonly [Key in keyof typeof AI_PIPELINE_DEFAULTS]: number };

/** Reads the desired properties of the ai-pipeline (B.3). A wrong value is reported, and its default is used. */
export function readAiPipelineTwin(desired: unknown): Issues & { readonly settings: AiPipelineSettings } {
  const report = new Report();
  const twin = objectOf(desired, report);
  report.unknownKeys(twin, Object.keys(aiPipelineTwinSchema.shape), '');
  const settings: Record<keyof typeof AI_PIPELINE_DEFAULTS, number> = { ...AI_PIPELINE_DEFAULTS };
  for (const key of Object.keys(settings) as (keyof typeof AI_PIPELINE_DEFAULTS)[]) {
    const value = twin[key];
    if (value === undefined) continue;
    const remedy = `The default ${AI_PIPELINE_DEFAULTS[key]} is used.`;
    settings[key] = report.parse(aiPipelineTwinSchema.shape[key], value, key, remedy) ?? AI_PIPELINE_DEFAULTS[key];
  }
  return { settings, errors: report.errors, warnings: report.warnings };
}

/**
 * Reads the desired properties of the BusinessLogicModule (B.4). `startRecording` is undefined when the twin has none; a
 * wrong item is reported and left out.
 */
export function readBusinessLogicTwin(
  desired: unknown,
): Issues & { readonly startRecording: readonly RecordingRequest[] | undefined } {
  const report = new Report();
  const twin = objectOf(desired, report);
  report.unknownKeys(twin, Object.keys(businessLogicTwinSchema.shape), '');
  const startRecording = readRequests(twin['startRecording'], report);
  return { startRecording, errors: report.errors, warnings: report.warnings };
}

/** Reads the body of a message on input `recordingInput` (C.4). Undefined: there is nothing to do. */
export function readRecordingCommand(body: unknown): Issues & { readonly command: RecordingCommand | undefined } {
  const report = new Report();
  const message = objectOf(body, report);
  const startRecording = readRequests(message['startRecording'], report);
  if (startRecording === undefined && report.errorCount === 0) {
    report.error('startRecording', 'is missing. The message is ignored.');
  }
  const reason = recordingCommandSchema.shape.reason.safeParse(message['reason']);
  const command =
    startRecording === undefined
      ? undefined
      : { startRecording, ...(reason.success && reason.data !== undefined ? { reason: reason.data } : {}) };
  return { command, errors: report.errors, warnings: report.warnings };
}

function objectOf(value: unknown, report: Report): Readonly<Record<string, unknown>> {
  if (isObject(value)) return withoutNulls(value);
  if (value !== undefined && value !== null)
    report.error('', `expected an object, found ${typeName(value)}. It is ignored.`);
  return {};
}

function readRequests(value: unknown, report: Report): readonly RecordingRequest[] | undefined {
  if (value === undefined) return undefined;
  const path = 'startRecording';
  return report.items(value, path, MAX_REQUESTS)?.flatMap((item, index) => {
    const request = report.parse(recordingRequestSchema, item, pathOf(path, index), 'The item is left out.');
    return request === undefined ? [] : [request];
  });
}
