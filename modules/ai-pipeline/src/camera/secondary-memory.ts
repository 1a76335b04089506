import type { ModelOutput } from '@vantage/inference';
import type { FrameObject } from '@vantage/skill';
import type { Attribute, Box, Detection } from '@vantage/vision';

/** Which objects a secondary model looks at, and when again. The properties of nvinfer of these names. */
export interface SecondaryRules {
  /** `gie-unique-id` of the secondary. */
  readonly componentId: number;
  /** Works on objects of this model; -1: of any. */
  readonly operateOnGieId: number;
  /** Empty: of any class. */
  readonly operateOnClassIds: readonly number[];
  /** Pixels of the source picture; a maximum of 0 is no limit. */
  readonly minWidth: number;
  readonly minHeight: number;
  readonly maxWidth: number;
  readonly maxHeight: number;
  /** Frames skipped between two that it looks at. */
  readonly interval: number;
  /** Frames after which a tracked object is looked at again; absent: never, unless it has grown. */
  readonly reinferInterval?: number;
  /** What it finds are objects of their own: nothing is remembered. */
  readonly detects: boolean;
}

/** An object that has grown by this much is looked at again: `REINFER_AREA_THRESHOLD` of `gstnvinfer.cpp`. */
const GROWN = 1.2;
/** Tracks that were not seen for so many frames are forgotten. */
const FORGET_AFTER_FRAMES = 300;
const MAX_REMEMBERED = 4096;
/** More objects of one frame than this are not looked at: the best scores go first. */
const MAX_OBJECTS = 128;

interface Memory {
  lookedAt: number;
  seenAt: number;
  area: number;
  said: Partial<FrameObject>;
}

/**
 * One secondary model of one camera: chooses the objects of a frame that it shall look at, and remembers what it said
 * about tracked ones. Semantics of `should_infer_object` in `gstnvinfer.cpp`.
 */
export class SecondaryMemory {
  readonly #rules: SecondaryRules;
  readonly #tracks = new Map<number, Memory>();
  #frames = 0;

  constructor(rules: SecondaryRules) {
    this.#rules = rules;
  }

  /** @returns places in `objects` of those to look at, in ascending order; at most 128 */
  choose(objects: readonly FrameObject[], frameId: number): number[] {
    const looks = this.#frames++ % (this.#rules.interval + 1) === 0;
    const chosen: number[] = [];
    if (!looks) return chosen;
    objects.forEach((object, at) => {
      if (this.#concerns(object) && this.#isDue(object, frameId)) chosen.push(at);
    });
    if (chosen.length <= MAX_OBJECTS) return chosen;
    const score = (at: number): number => objects[at]?.confidence ?? 0;
    return chosen
      .sort((a, b) => score(b) - score(a))
      .slice(0, MAX_OBJECTS)
      .sort((a, b) => a - b);
  }

  /**
   * The objects with what the model said about them, now or the last time it looked; what it found comes after them.
   *
   * @param outputs of the objects that were chosen, in their order; shorter where it failed
   */
  apply(
    objects: readonly FrameObject[],
    chosen: readonly number[],
    outputs: readonly ModelOutput[],
    frameId: number,
  ): FrameObject[] {
    const found: FrameObject[] = [];
    const answers = new Map(chosen.map((at, n) => [at, outputs[n]]));
    const result = objects.map((object, at) => {
      const output = answers.get(at);
      if (output) found.push(...output.detections.map((detection): FrameObject => ({ ...detection, parent: at })));
      const said = output ? whatItSays(output) : {};
      if (this.#rules.detects || object.trackingId < 0) return output ? merge(object, said) : object;
      const memory = this.#remember(object, output ? said : undefined, frameId);
      return memory ? merge(object, memory.said) : object;
    });
    if (frameId % FORGET_AFTER_FRAMES === 0 || this.#tracks.size > MAX_REMEMBERED) this.#forget(frameId);
    return [...result, ...found];
  }

  /** Another scene: nothing that was said holds any more. */
  reset(): void {
    this.#tracks.clear();
  }

  #concerns({ componentId, classId, box }: Detection): boolean {
    const { operateOnGieId, operateOnClassIds, minWidth, minHeight, maxWidth, maxHeight } = this.#rules;
    // Its own objects would have it look at what it found in what it found.
    if (componentId === this.#rules.componentId) return false;
    if (operateOnGieId >= 0 && componentId !== operateOnGieId) return false;
    if (operateOnClassIds.length > 0 && !operateOnClassIds.includes(classId)) return false;
    if (!(box.width >= Math.max(1, minWidth) && box.height >= Math.max(1, minHeight))) return false;
    return (maxWidth <= 0 || box.width <= maxWidth) && (maxHeight <= 0 || box.height <= maxHeight);
  }

  #isDue({ trackingId, box }: FrameObject, frameId: number): boolean {
    const memory = trackingId < 0 || this.#rules.detects ? undefined : this.#tracks.get(trackingId);
    if (!memory) return true;
    if (area(box) > memory.area * GROWN) return true;
    const { reinferInterval } = this.#rules;
    return reinferInterval !== undefined && frameId - memory.lookedAt > reinferInterval;
  }

  #remember(
    { trackingId, box }: FrameObject,
    said: Partial<FrameObject> | undefined,
    frameId: number,
  ): Memory | undefined {
    const memory = this.#tracks.get(trackingId);
    if (memory) memory.seenAt = frameId;
    if (!said) return memory;
    // A head that says nothing this time (its score is too low) has not taken back what it said.
    const attributes = mergeAttributes(memory?.said.attributes ?? [], said.attributes ?? []);
    const kept: Memory = {
      lookedAt: frameId,
      seenAt: frameId,
      area: area(box),
      said: { ...memory?.said, ...said, ...(attributes.length > 0 ? { attributes } : {}) },
    };
    this.#tracks.set(trackingId, kept);
    return kept;
  }

  #forget(frameId: number): void {
    for (const [id, { seenAt }] of this.#tracks) {
      if (frameId - seenAt > FORGET_AFTER_FRAMES) this.#tracks.delete(id);
    }
    for (const id of this.#tracks.keys()) {
      if (this.#tracks.size <= MAX_REMEMBERED) break;
      this.#tracks.delete(id);
    }
  }
}

function whatItSays({ attributes, text, embedding, custom, poses, tensors }: ModelOutput): Partial<FrameObject> {
  const keypoints = poses?.[0]?.keypoints;
  return {
    ...(attributes.length > 0 ? { attributes } : {}),
    ...(text ? { text } : {}),
    ...(embedding ? { embedding } : {}),
    ...(custom === undefined ? {} : { customInfo: custom }),
    ...(keypoints ? { keypoints } : {}),
    ...(tensors ? { tensors } : {}),
  };
}

function merge(object: FrameObject, said: Partial<FrameObject>): FrameObject {
  const attributes = said.attributes ? mergeAttributes(object.attributes, said.attributes) : object.attributes;
  return { ...object, ...said, attributes };
}

/** The newer ones in place of those of the same model and name. */
function mergeAttributes(older: readonly Attribute[], newer: readonly Attribute[]): readonly Attribute[] {
  if (older.length === 0) return newer;
  const key = ({ componentId, name }: Attribute): string => `${componentId} ${name}`;
  const replaced = new Set(newer.map(key));
  return [...older.filter((attribute) => !replaced.has(key(attribute))), ...newer];
}

function area({ width, height }: Box): number {
  return width * height;
}
