import type {
  DetectionInference,
  InferenceEvent,
  InferenceMessage,
  RecordingCommand,
  RecordingReason,
  RegionOfInterest,
  Sensor,
} from '@vantage/contracts';
import { pointInPolygon } from '@vantage/vision';

/**
 * The decision logic of the BusinessLogicModule, and nothing else: replace this file, or name another one in
 * `BUSINESS_LOGIC_FILE`, to decide differently. It must export `decide`. No I/O, no clock: the same inputs give the same
 * commands.
 *
 * This one records a pipeline while the centre of a monitored object lies inside a region of interest (contract G.1), and
 * for some seconds after an event of the types that it is told.
 */
export type DecisionInput =
  | {
      /** The controllermodule has published a configuration. */
      readonly kind: 'configuration';
      readonly sensors: readonly Sensor[];
      /** Labels that count, lower case. */
      readonly objectsToMonitor: readonly string[];
      /** Types of events that start a recording; none where it is left out. */
      readonly recordOnEvents?: readonly string[];
      /** How long a recording goes on after the last of them, by the frames' own times. */
      readonly recordSeconds?: number;
      /** The user's own settings, unread. */
      readonly businessLogicConfig: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'inference'; readonly message: InferenceMessage };

export interface Decision {
  readonly state: DecisionState;
  /** For output `recordingOutput`, in this order. */
  readonly commands: readonly RecordingCommand[];
}

/** `unconfirmed`: it was on, but a new configuration may have stopped it, so the next picture says start or stop. */
type Recording = 'off' | 'on' | 'unconfirmed';

interface PipelineState {
  /** What is inside regions now, by sensor: several sensors of a pipeline do not overwrite each other. */
  readonly hits: ReadonlyMap<string, readonly RecordingReason[]>;
  readonly recording: Recording;
  /** Until when an event keeps the recording on, milliseconds since the Unix epoch. */
  readonly eventUntilMs?: number;
}

export interface DecisionState {
  readonly regions: ReadonlyMap<string, readonly RegionOfInterest[]>;
  readonly objectsToMonitor: ReadonlySet<string>;
  readonly recordOnEvents: ReadonlySet<string>;
  readonly recordSeconds: number;
  readonly pipelines: ReadonlyMap<string, PipelineState>;
}

const INITIAL: DecisionState = {
  regions: new Map(),
  objectsToMonitor: new Set(),
  recordOnEvents: new Set(),
  recordSeconds: 0,
  pipelines: new Map(),
};

/** One step. `state` is what the step before returned, undefined in the first. */
export function decide(state: DecisionState | undefined, input: DecisionInput): Decision {
  const before = state ?? INITIAL;
  switch (input.kind) {
    case 'configuration':
      return { state: reconfigure(before, input), commands: [] };
    case 'inference':
      return observe(before, input.message);
  }
}

function reconfigure(state: DecisionState, input: DecisionInput & { kind: 'configuration' }): DecisionState {
  const pipelines = [...state.pipelines].map(([id, pipeline]): [string, PipelineState] => [
    id,
    { ...pipeline, hits: new Map(), recording: pipeline.recording === 'off' ? 'off' : 'unconfirmed' },
  ]);
  return {
    regions: new Map(input.sensors.map((sensor) => [sensor.name, sensor.regionsOfInterest])),
    objectsToMonitor: new Set(input.objectsToMonitor),
    recordOnEvents: new Set(input.recordOnEvents),
    recordSeconds: input.recordSeconds ?? 0,
    pipelines: new Map(pipelines),
  };
}

function observe(state: DecisionState, message: InferenceMessage): Decision {
  const pipelines = new Map(state.pipelines);
  const happened = message.events.filter(({ type }) => state.recordOnEvents.has(type));
  const commands: RecordingCommand[] = [];
  for (const [id, batch] of batchesOf(message)) {
    const before: PipelineState = pipelines.get(id) ?? { hits: new Map(), recording: 'off' };
    const hits = new Map(before.hits);
    for (const inference of batch) {
      const regions = state.regions.get(inference.sourceInfo.id);
      if (regions !== undefined) hits.set(inference.sourceInfo.id, hitsOf(inference, regions, state.objectsToMonitor));
    }
    const events = happened.filter(({ sensor }) => batch.some(({ sourceInfo }) => sourceInfo.id === sensor));
    const nowMs = Math.max(...batch.map(({ sourceInfo }) => Date.parse(sourceInfo.timestamp)));
    const eventUntilMs = events.length > 0 ? nowMs + 1000 * state.recordSeconds : before.eventUntilMs;
    const reason = [...[...hits.values()].flat(), ...reasonsOf(events)];
    const isKept = eventUntilMs !== undefined && nowMs < eventUntilMs;
    const wanted = reason.length > 0 || isKept ? 'on' : 'off';
    pipelines.set(id, { hits, recording: wanted, ...(isKept ? { eventUntilMs } : {}) });
    if (wanted === before.recording) continue;
    const startRecording = [{ configId: id, state: wanted === 'on' }];
    commands.push(reason.length > 0 ? { startRecording, reason } : { startRecording });
  }
  return { state: { ...state, pipelines }, commands };
}

/** An event stands for one thing of its type where it happened. */
function reasonsOf(events: readonly InferenceEvent[]): RecordingReason[] {
  return events.map(({ type, zone, sensor = '' }) => ({ sensor, region: zone ?? sensor, label: type, count: 1 }));
}

/**
 * The detections of each pipeline, one frame per sensor at a time: the sensors of one moment are judged together, so that
 * an object that walks from one camera to the next does not cut the clip, but successive frames are judged one by one.
 */
function batchesOf(message: InferenceMessage): readonly (readonly [string, readonly DetectionInference[]])[] {
  const batches: [string, DetectionInference[]][] = [];
  const open = new Map<string, Map<string, DetectionInference>>();
  for (const inference of message.inferences) {
    if (inference.type !== 'detection') continue;
    let batch = open.get(inference.id);
    if (batch?.has(inference.sourceInfo.id) === true) {
      batches.push([inference.id, [...batch.values()]]);
      batch = undefined;
    }
    batch ??= new Map();
    batch.set(inference.sourceInfo.id, inference);
    open.set(inference.id, batch);
  }
  for (const [id, batch] of open) batches.push([id, [...batch.values()]]);
  return batches;
}

/** A detection inside two regions counts twice; one on a border does not count. */
function hitsOf(
  inference: DetectionInference,
  regions: readonly RegionOfInterest[],
  objectsToMonitor: ReadonlySet<string>,
): readonly RecordingReason[] {
  const sensor = inference.sourceInfo.id;
  return regions.flatMap((region) => {
    const counts = new Map<string, number>();
    for (const { label, rect } of inference.detections) {
      if (!objectsToMonitor.has(label.toLowerCase())) continue;
      const [left, top, width, height] = rect;
      if (pointInPolygon(left + width / 2, top + height / 2, region.coordinates) !== 'inside') continue;
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    return [...counts].map(([label, count]) => ({ sensor, region: region.label, label, count }));
  });
}
