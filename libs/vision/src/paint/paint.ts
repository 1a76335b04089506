import type { Detection, Point } from '../detection.ts';
import type { Canvas } from './canvas.ts';
import { parseColour, type Rgb } from './layout.ts';

/** What of an object is painted. */
export type PaintedObject = Pick<
  Detection,
  'box' | 'classId' | 'label' | 'confidence' | 'trackingId' | 'attributes' | 'mask' | 'points' | 'keypoints'
> & { readonly text?: { readonly text: string } };

export interface PaintStyle {
  /** Default: a colour a class. */
  readonly colour?: Rgb;
  /** Text above the box; empty: none. Default {@link trackTitle}. */
  readonly title?: (object: PaintedObject) => string;
}

/** A polygon with its name. */
export interface PaintedRegion {
  readonly label: string;
  /** `#rrggbb`; white when it is something else. */
  readonly color: string;
  /** Corners (two of a line) as fractions 0..1 of the picture. */
  readonly coordinates: readonly (readonly [x: number, y: number])[];
}

const COLOURS: readonly Rgb[] = [
  [0, 255, 0],
  [255, 165, 0],
  [0, 255, 255],
  [255, 0, 255],
  [255, 255, 0],
  [255, 60, 60],
  [255, 255, 255],
  [80, 140, 255],
];
const DOT: Rgb = [255, 40, 40];
/** More objects than this are a blot; the first ones are painted. */
const MAX_OBJECTS = 1000;
const MAX_POINTS = 300;
const MAX_REGIONS = 100;

/** The colour of a class in pictures. */
export function classColour(classId: number): Rgb {
  return COLOURS[Math.max(0, classId) % COLOURS.length] ?? [0, 255, 0];
}

/** `car #7 87% blue "AB 123"` */
export function trackTitle({ label, trackingId, confidence, attributes, text }: PaintedObject): string {
  return [
    `${label}${trackingId > 0 ? ` #${trackingId}` : ''} ${Math.round(confidence * 100)}%`,
    ...attributes.map((one) => one.label),
    ...(text ? [`"${text.text}"`] : []),
  ].join(' ');
}

/** `car (0.87), colour: blue`: as video snippets of AI Skills have it (contract custom-node-and-skills B). */
export function snippetTitle({ label, confidence, attributes }: PaintedObject): string {
  const described = attributes.map(({ name, label: value }) => `, ${name}: ${value}`);
  return `${label} (${Math.round(confidence * 100) / 100})${described.join('')}`;
}

/** Boxes with titles, masks, landmarks and joints. Objects whose box is not made of numbers are left out. */
export function paintObjects(canvas: Canvas, objects: readonly PaintedObject[], style: PaintStyle = {}): void {
  for (const object of objects.slice(0, MAX_OBJECTS)) paintObject(canvas, object, style);
}

/** Polygons and lines with their names. */
export function paintRegions(canvas: Canvas, regions: readonly PaintedRegion[]): void {
  const { width, height } = canvas;
  for (const { label, color, coordinates } of regions.slice(0, MAX_REGIONS)) {
    const corners: Point[] = coordinates.map(([x, y]) => ({ x: x * width, y: y * height }));
    const [first] = corners;
    if (!first) continue;
    const colour = parseColour(color) ?? [255, 255, 255];
    canvas.polygon(corners, thicknessOf(canvas), colour);
    if (label !== '') canvas.label(label, first.x, first.y, colour);
  }
}

/** Thickness in pixels of lines that are seen and do not hide much. */
export function thicknessOf({ width, height }: Canvas): number {
  return Math.max(2, Math.round(Math.min(width, height) / 360));
}

function paintObject(canvas: Canvas, object: PaintedObject, style: PaintStyle): void {
  const { box, classId, mask, points, keypoints } = object;
  const { left, top, width, height } = box;
  const colour = style.colour ?? classColour(classId);
  const thickness = thicknessOf(canvas);
  if (mask) canvas.mask(mask, box, colour);
  canvas.frame(left, top, width, height, thickness, colour);
  const dot = 2 * thickness;
  const found = [...(points ?? []), ...(keypoints ?? []).filter(({ score }) => score > 0)].slice(0, MAX_POINTS);
  for (const { x, y } of found) canvas.fill(x - dot / 2, y - dot / 2, dot, dot, DOT);
  const title = (style.title ?? trackTitle)(object);
  const visible = left < canvas.width && top < canvas.height && left + width > 0 && top + height > 0;
  if (title !== '' && visible) canvas.label(title, left, top - canvas.lineHeight, colour);
}
