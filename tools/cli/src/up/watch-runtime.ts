import path from 'node:path';
import { isObject, MODULES, OUTPUTS, type InferenceMessage, type RecordingCommand } from '@vantage/contracts';
import type { EdgeRuntime, TelemetryMessage } from '@vantage/local-edge';
import type { UpEvent } from './events.ts';

/** Turns what the runtime sees into events for people: only what changes something for them. */
export function watchRuntime(runtime: EdgeRuntime, emit: (event: UpEvent) => void): void {
  const statuses = new Map<string, string>();
  const tellModule = (module: string, status: string, reason: string): void => {
    if (statuses.get(module) === status) return;
    statuses.set(module, status);
    emit({ event: 'module', module, status, ...(reason && reason !== status ? { reason } : {}) });
  };
  runtime.on('module', ({ id, status, reason }) => {
    // What was never started, or runs and has long been connected, is no news.
    if (reason === 'not started' || (status === 'running' && statuses.get(id) === 'connected')) return;
    tellModule(id, status === 'running' ? 'starting' : status, reason === status || status === 'running' ? '' : reason);
  });
  runtime.on('client', (name, state) => {
    const module = name.split('/')[1];
    if (module !== undefined) tellModule(module, state.status === 'Connected' ? 'connected' : 'disconnected', '');
  });
  runtime.on('message', (message) => {
    for (const event of messageEvents(message)) emit(event);
  });
  const seen: Seen = {
    ...{ clips: new Map<string, string>(), recording: new Map<string, boolean>(), errors: new Set<string>() },
    uploadedBefore: undefined,
  };
  runtime.on('twin', ({ moduleId, reported }) => {
    // Before the module is there, its twin tells of an earlier run.
    if (statuses.get(moduleId) !== 'connected') {
      if (moduleId === MODULES.aiPipeline) rememberClips(reported, seen.clips);
      if (moduleId === MODULES.videoUploader) seen.uploadedBefore = uploadedOf(reported).clips;
      return;
    }
    if (moduleId === MODULES.aiPipeline) for (const event of pipelineEvents(reported, seen)) emit(event);
    if (moduleId === MODULES.controller) for (const event of configurationErrors(reported, seen.errors)) emit(event);
    if (moduleId === MODULES.videoUploader) for (const event of uploaderEvents(reported, seen)) emit(event);
  });
}

function messageEvents({ moduleId, output, body }: TelemetryMessage): UpEvent[] {
  if (moduleId === MODULES.aiPipeline && output === OUTPUTS.inference) {
    const message = JSON.parse(body) as InferenceMessage;
    return message.inferences.flatMap((inference): UpEvent[] => {
      if (inference.type !== 'detection') return [];
      const { id: sensor, frameId, timestamp } = inference.sourceInfo;
      const objects: Record<string, number> = {};
      for (const { label } of inference.detections) objects[label] = (objects[label] ?? 0) + 1;
      return [{ event: 'inference', pipeline: inference.id, sensor, frameId, timestamp, objects }];
    });
  }
  if (moduleId === MODULES.businessLogic && output === OUTPUTS.recording) {
    const command = JSON.parse(body) as RecordingCommand;
    const [first] = command.startRecording;
    return (command.reason ?? []).map((reason) => ({ event: 'region', pipeline: first?.configId ?? '', ...reason }));
  }
  return [];
}

interface Seen {
  /** Clips that earlier runs uploaded. */
  uploadedBefore: number | undefined;
  readonly clips: Map<string, string>;
  readonly recording: Map<string, boolean>;
  readonly errors: Set<string>;
}

function rememberClips(reported: Readonly<Record<string, unknown>>, clips: Map<string, string>): void {
  for (const [pipeline, status] of Object.entries(isObject(reported['pipelines']) ? reported['pipelines'] : {})) {
    const clip = isObject(status) ? status['lastClip'] : undefined;
    if (isObject(clip)) clips.set(pipeline, String(clip['file']));
  }
}

function* pipelineEvents(reported: Readonly<Record<string, unknown>>, seen: Seen): Generator<UpEvent> {
  for (const [pipeline, status] of Object.entries(isObject(reported['pipelines']) ? reported['pipelines'] : {})) {
    if (!isObject(status)) continue;
    const recording = status['recording'] === true;
    if (recording !== (seen.recording.get(pipeline) ?? false)) {
      seen.recording.set(pipeline, recording);
      yield { event: 'recording', pipeline, on: recording };
    }
    const clip = status['lastClip'];
    // `lastClip` of an earlier run stays in the twin; `clips` counts from the module's start.
    if (isObject(clip) && Number(status['clips']) > 0 && seen.clips.get(pipeline) !== clip['file']) {
      const file = String(clip['file']);
      seen.clips.set(pipeline, file);
      yield {
        event: 'clip',
        pipeline,
        file: path.basename(file),
        seconds: Number(clip['seconds']),
        frames: Number(clip['frames']),
      };
    }
    const problems = Array.isArray(status['problems']) ? (status['problems'] as unknown[]) : [];
    yield* newErrors(problems, seen.errors, MODULES.aiPipeline);
  }
}

function* uploaderEvents(reported: Readonly<Record<string, unknown>>, seen: Seen): Generator<UpEvent> {
  const { clips, last } = uploadedOf(reported);
  seen.uploadedBefore ??= clips;
  if (clips > seen.uploadedBefore) {
    yield { event: 'uploaded', file: path.basename(last), clips: clips - seen.uploadedBefore };
  }
  const problems = Array.isArray(reported['problems']) ? (reported['problems'] as unknown[]) : [];
  yield* newErrors(problems, seen.errors, MODULES.videoUploader);
}

function uploadedOf(reported: Readonly<Record<string, unknown>>): { clips: number; last: string } {
  const uploaded = isObject(reported['uploaded']) ? reported['uploaded'] : {};
  const { last } = uploaded;
  return { clips: Number(uploaded['clips'] ?? 0), last: typeof last === 'string' ? last : '' };
}

function configurationErrors(reported: Readonly<Record<string, unknown>>, seen: Set<string>): UpEvent[] {
  const configuration = isObject(reported['configuration']) ? reported['configuration'] : {};
  const errors = Array.isArray(configuration['errors']) ? (configuration['errors'] as unknown[]) : [];
  return [...newErrors(errors, seen, MODULES.controller)];
}

function* newErrors(problems: readonly unknown[], seen: Set<string>, module: string): Generator<UpEvent> {
  for (const problem of problems) {
    if (!isObject(problem)) continue;
    const where = typeof problem['path'] === 'string' && problem['path'] ? `${problem['path']}: ` : '';
    const message = `${where}${String(problem['message'])}`;
    if (seen.has(`${module} ${message}`)) continue;
    seen.add(`${module} ${message}`);
    const code = problem['code'];
    yield { event: 'error', module, ...(typeof code === 'string' ? { code } : {}), message };
  }
}
