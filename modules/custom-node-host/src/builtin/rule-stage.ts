import { timeFromMs, timeToMs, type NodeFrame, type NodeInsights, type NodeObject } from '@vantage/custom-node';
import {
  createInsightStage,
  type FrameInsights,
  type FrameObject,
  type InsightStage,
  type RuleNode,
  type SourceNode,
} from '@vantage/skill';

/** Cameras that are remembered; the one unheard of for longest is forgotten. */
const MAX_CAMERAS = 64;
/** Names of tracks that are remembered for one camera. */
const MAX_TRACKS = 4096;
const UNTRACKED = -1;
/** Size of a frame whose client tells none: boxes are fractions, any size will do. */
const NOMINAL = 1000;

interface Camera {
  readonly stage: InsightStage;
  readonly tracks: Map<string, number>;
  nextTrack: number;
}

/** Runs a rule of the house over what clients send, each camera for itself. */
export class RuleStages {
  readonly #rule: RuleNode;
  readonly #cameras = new Map<string, Camera>();

  constructor(rule: RuleNode['rule']) {
    this.#rule = { kind: 'rule', id: rule.type, rule };
  }

  /** What the rule says about the frame, without the objects that it came with. */
  process(frame: NodeFrame, device: string): Partial<NodeInsights> {
    const camera = this.#cameraOf(device);
    const before = toFrame(frame, device, camera);
    const { events = [], properties = {} } = camera.stage.process(before);
    return {
      events: events.map(({ type, id, timeMs, relatedIds, properties: facts }) => ({
        type,
        id,
        timestamp: timeFromMs(timeMs),
        relatedIds,
        properties: facts,
      })),
      other: properties,
    };
  }

  #cameraOf(device: string): Camera {
    const known = this.#cameras.get(device);
    const camera = known ?? {
      stage: createInsightStage(this.#rule, sourceOf(device)),
      tracks: new Map(),
      nextTrack: 1,
    };
    // Set anew, so that those that were not heard of for longest come first.
    this.#cameras.delete(device);
    this.#cameras.set(device, camera);
    for (const name of this.#cameras.keys()) {
      if (this.#cameras.size <= MAX_CAMERAS) break;
      this.#cameras.delete(name);
    }
    return camera;
  }
}

function sourceOf(sensor: string): SourceNode {
  return { kind: 'source', id: sensor, sensor, url: '', regions: [], pace: 'realtime', loop: false };
}

function toFrame(frame: NodeFrame, sensor: string, camera: Camera): FrameInsights {
  const width = frame.width > 0 ? frame.width : NOMINAL;
  const height = frame.height > 0 ? frame.height : NOMINAL;
  // The reference's client sends no time at all: then it is the time of arrival.
  const sentMs = timeToMs(frame.timestamp);
  const captureTimeMs = sentMs > 0 ? sentMs : Date.now();
  return {
    sensor,
    frameId: Number.parseInt(frame.frameId, 10) || 0,
    ptsUs: Math.round(captureTimeMs * 1000),
    captureTimeMs,
    width,
    height,
    detections: frame.insights.objects.flatMap((object) => toObject(object, width, height, camera)),
  };
}

function toObject(object: NodeObject, width: number, height: number, camera: Camera): FrameObject[] {
  const { label, confidence, bbox, tracking, inferenceId } = object;
  if (bbox === undefined) return [];
  return [
    {
      classId: 0,
      label,
      confidence,
      box: { left: bbox.l * width, top: bbox.t * height, width: bbox.w * width, height: bbox.h * height },
      trackingId: tracking === undefined ? UNTRACKED : trackOf(tracking.id, camera),
      componentId: 0,
      attributes: [],
      ...(inferenceId === undefined ? {} : { inferenceId }),
    },
  ];
}

/** A number for the name of a track, which may be any text. */
function trackOf(name: string, camera: Camera): number {
  if (name === '') return UNTRACKED;
  const known = camera.tracks.get(name);
  const track = known ?? camera.nextTrack++;
  camera.tracks.delete(name);
  camera.tracks.set(name, track);
  for (const oldest of camera.tracks.keys()) {
    if (camera.tracks.size <= MAX_TRACKS) break;
    camera.tracks.delete(oldest);
  }
  return track;
}
