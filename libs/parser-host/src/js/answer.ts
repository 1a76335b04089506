import type { Attribute } from '@vantage/vision';
import { MAX_MESSAGE_CHARACTERS, MAX_OBJECTS, MAX_SHAPES } from '../wire.ts';
import type { OverlayColour, ParserOverlay } from '../types.ts';
import type { FrameObject, ParserFrame } from './parser-api.ts';

const RED: OverlayColour = [1, 0, 0, 1];
const MAX_TEXT = 1024;

/** The parser answered, but not what the API asks for. */
export class Unusable extends Error {}

type Row = readonly [classId: unknown, confidence: unknown, box: ArrayLike<unknown>];
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

/** What one call of a parser gave, checked and bounded as the Python side does it. */
export class Answer {
  readonly problems: string[] = [];
  /** Numbers of the objects, six each (wire.ts). */
  readonly rows: number[] = [];
  message: unknown;
  /** null: the class's own. */
  labels: (string | null)[] | undefined;
  attributes: (readonly Attribute[])[] | undefined;
  overlay: ParserOverlay | undefined;

  /** The fields of the protocol's header. */
  header(): object {
    const { attributes, labels, message, overlay, problems } = this;
    return { problems, message, labels, attributes, overlay };
  }

  putMessage(message: unknown): void {
    if (message === undefined || message === null) return;
    let text: string | undefined;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      this.problems.push(`the message is left out: ${(error as Error).message.split('\n')[0]}`);
      return;
    }
    if (text === undefined) {
      this.problems.push(`the message is left out: JSON cannot say a value of type ${typeof message}`);
    } else if (text.length > MAX_MESSAGE_CHARACTERS) {
      this.problems.push(`the message is left out: ${text.length} bytes, more than ${MAX_MESSAGE_CHARACTERS}`);
    } else {
      this.message = message;
    }
  }

  putDetections(boxes: unknown, classIds: unknown, scores: unknown): void {
    const [some, ids, confidences] = [listOf(boxes, 'boxes'), listOf(classIds, 'classIds'), listOf(scores, 'scores')];
    if (some.length !== ids.length || some.length !== confidences.length) {
      const counts = `${some.length} boxes, ${ids.length} class ids and ${confidences.length} scores`;
      throw new Unusable(`parseDetModel gave ${counts}`);
    }
    const rows = Array.from({ length: some.length }, (_, i): Row => [ids[i], confidences[i], boxOf(some[i], i)]);
    this.#putRows(rows);
  }

  /** Takes what a parser adds to the frame. */
  async putFrame(add: (frame: ParserFrame) => unknown): Promise<void> {
    const objects: FrameObject[] = [];
    const overlay: Mutable<ParserOverlay> = { lines: [], circles: [], rectangles: [], texts: [] };
    let shapes = 0;
    const hasRoom = (): boolean => (shapes += 1) <= MAX_SHAPES;
    await add({
      addObject: (object) => {
        objects.push(object);
      },
      addLine: ({ x1, y1, x2, y2, width = 1, colour = RED }) => {
        if (hasRoom()) overlay.lines.push({ ...finite({ x1, y1, x2, y2, width }), colour: colourOf(colour) });
      },
      addCircle: ({ x, y, radius, colour = RED }) => {
        if (hasRoom()) overlay.circles.push({ ...finite({ x, y, radius }), colour: colourOf(colour) });
      },
      addRectangle: ({ box, width = 1, colour = RED }) => {
        const four = boxOf(box, overlay.rectangles.length);
        const [left, top, boxWidth, height] = [0, 1, 2, 3].map((i) => Number(four[i])) as [
          number,
          number,
          number,
          number,
        ];
        const rectangle = finite({ left, top, width: boxWidth, height });
        if (hasRoom()) overlay.rectangles.push({ box: rectangle, ...finite({ width }), colour: colourOf(colour) });
      },
      addText: ({ x, y, text, size = 10, colour = RED }) => {
        const short = String(text).slice(0, MAX_TEXT);
        if (hasRoom()) overlay.texts.push({ ...finite({ x, y, size }), text: short, colour: colourOf(colour) });
      },
    });
    if (shapes > MAX_SHAPES) this.problems.push(`only the first ${MAX_SHAPES} of ${shapes} shapes are kept`);
    const kept = this.#putRows(objects.map(({ classId, confidence, box }, i) => [classId, confidence, boxOf(box, i)]));
    this.overlay = overlay;
    const own = kept.map((index) => objects[index] as FrameObject);
    this.labels = own.map(({ label }) => (label === undefined ? null : String(label)));
    if (own.some(({ attributes }) => attributes !== undefined)) this.attributes = own.map(attributesOf);
  }

  /** Gives the indices of the rows that are good. */
  #putRows(rows: readonly Row[]): number[] {
    const kept: number[] = [];
    let notFinite = 0;
    let negative = 0;
    let good = 0;
    rows.forEach(([classId, confidence, box], index) => {
      const [left, top, width, height] = [Number(box[0]), Number(box[1]), Number(box[2]), Number(box[3])];
      const [id, score] = [Number(classId), Number(confidence)];
      // One sum instead of six questions: it is finite only if all of them are.
      if (!Number.isFinite(id + score + left + top + width + height)) notFinite += 1;
      else if (width < 0 || height < 0) negative += 1;
      else if ((good += 1) <= MAX_OBJECTS) {
        this.rows.push(id, score, left, top, width, height);
        kept.push(index);
      }
    });
    if (notFinite > 0) this.problems.push(`${notFinite} of ${rows.length} objects hold NaN or infinity`);
    if (negative > 0) this.problems.push(`${negative} of ${rows.length} boxes have a negative size`);
    if (good > MAX_OBJECTS) this.problems.push(`only the first ${MAX_OBJECTS} of ${good} objects are kept`);
    return kept;
  }
}

function listOf(value: unknown, name: string): ArrayLike<unknown> {
  const length = (value as ArrayLike<unknown> | null | undefined)?.length;
  if (typeof value !== 'object' || typeof length !== 'number') {
    throw new Unusable(`parseDetModel gave no array for ${name}`);
  }
  return value as ArrayLike<unknown>;
}

function boxOf(value: unknown, index: number): ArrayLike<unknown> {
  const box = value as ArrayLike<unknown> | null | undefined;
  if (typeof box?.length !== 'number' || box.length < 4) {
    throw new Unusable(`box ${index} is not [left, top, width, height]`);
  }
  return box;
}

function attributesOf({ attributes = [] }: FrameObject): readonly Attribute[] {
  return attributes.map(({ name, label, classId, confidence }) => ({
    name: String(name),
    label: String(label),
    ...finite({ classId, confidence }),
    componentId: 0,
  }));
}

function finite<T extends Readonly<Record<string, number>>>(numbers: T): T {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) throw new Unusable(`addCustomToMeta gave ${name} ${String(value)}`);
  }
  return numbers;
}

function colourOf(colour: readonly number[]): OverlayColour {
  const { red, green, blue, alpha } = finite({
    red: colour[0] ?? 0,
    green: colour[1] ?? 0,
    blue: colour[2] ?? 0,
    alpha: colour[3] ?? 1,
  });
  return [red, green, blue, alpha];
}
