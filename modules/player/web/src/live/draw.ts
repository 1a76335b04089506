import type { DetectionEntry } from '@vantage/contracts';
import { classColor, titleOf, type Match, type Trails } from '../core/overlay.ts';

export interface OverlayOptions {
  readonly boxes: boolean;
  readonly labels: boolean;
  readonly tracks: boolean;
  readonly regions: boolean;
}

export const ALL_OVERLAYS: OverlayOptions = { boxes: true, labels: true, tracks: true, regions: true };

export interface DrawnRegion {
  readonly label: string;
  readonly color: string;
  readonly coordinates: readonly (readonly [number, number])[];
}

/** A box as it was drawn, CSS pixels of the canvas. */
export interface DrawnBox {
  readonly id: string;
  readonly label: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Told by the canvas (event `drawn`) each time that it shows other insights: for who builds on this page. */
export interface Drawn {
  /** Of the frame on the screen, on the clock of the picture, microseconds. */
  readonly ptsUs: number;
  /** Of the frame whose insights are shown. */
  readonly frameId: number | undefined;
  /** Whether that is the frame on the screen. */
  readonly exact: boolean;
  readonly boxes: readonly DrawnBox[];
}

/** More are a blot. */
const MOST_OBJECTS = 500;

export interface Painter {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** Thickness of lines. */
  readonly line: number;
  readonly font: number;
  /** Where names stand already. */
  readonly plates: Plate[];
}

interface Plate {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Makes the canvas as sharp as the screen, empties it, and hands out a painter in CSS pixels. */
export function painterOf(canvas: HTMLCanvasElement, width: number, height: number): Painter | undefined {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext('2d');
  if (!context || across === 0 || down === 0) return undefined;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const font = Math.max(10, Math.min(15, Math.round(width / 64)));
  context.font = `600 ${font}px system-ui, sans-serif`;
  context.lineJoin = 'round';
  return { context, width, height, line: Math.max(1.5, width / 480), font, plates: [] };
}

export function drawOverlay(
  painter: Painter,
  match: Match | undefined,
  regions: readonly DrawnRegion[],
  options: OverlayOptions,
  trails?: Trails,
): DrawnBox[] {
  if (options.regions) for (const region of regions) drawRegion(painter, region);
  if (!match || !(options.boxes || options.labels || options.tracks)) return [];
  const { context } = painter;
  // What is left from a frame before is shown, but not as if it were of this one.
  context.globalAlpha = match.exact ? 1 : 0.55;
  const drawn = match.frame.detections.slice(0, MOST_OBJECTS).map((one) => drawObject(painter, one, options, trails));
  context.globalAlpha = 1;
  return drawn;
}

export function drawRegion(painter: Painter, { label, color, coordinates }: DrawnRegion): void {
  const { context, width, height, line } = painter;
  const [first] = coordinates;
  if (!first) return;
  context.beginPath();
  for (const [x, y] of coordinates) context.lineTo(x * width, y * height);
  if (coordinates.length > 2) {
    context.closePath();
    context.fillStyle = `${color}26`;
    context.fill();
  }
  context.strokeStyle = color;
  context.lineWidth = line;
  context.stroke();
  if (label !== '') drawTitle(painter, label, first[0] * width, first[1] * height, color);
}

/**
 * A name on a plate above a place, inside the picture and readable on any ground; a line or two higher or lower where
 * another name stands already.
 */
export function drawTitle(painter: Painter, text: string, x: number, y: number, color: string): void {
  const { context, width, font } = painter;
  const shown = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  const across = context.measureText(shown).width + font * 0.7;
  const down = font * 1.4;
  const left = Math.max(0, Math.min(x, width - across));
  const plateAt = (top: number): Plate => ({ left, top, right: left + across, bottom: top + down });
  const isFree = (top: number): boolean => {
    const plate = plateAt(top);
    return top >= 0 && !painter.plates.some((other) => overlap(plate, other));
  };
  const usual = y - down < 0 ? y : y - down;
  const top = [usual, y, y - 2 * down, y + down, y - 3 * down].find(isFree) ?? usual;
  painter.plates.push(plateAt(top));
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(left, top, across, down, 3);
  context.fill();
  context.fillStyle = '#10151b';
  context.textBaseline = 'middle';
  context.fillText(shown, left + font * 0.35, top + down / 2 + 0.5);
}

function overlap(a: Plate, b: Plate): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function drawObject(painter: Painter, one: DetectionEntry, options: OverlayOptions, trails?: Trails): DrawnBox {
  const { context, width, height, line } = painter;
  const [left, top, across, down] = one.rect;
  const box = { left: left * width, top: top * height, width: across * width, height: down * height };
  const color = classColor(one.classId);
  if (options.tracks && trails) drawTrail(painter, trails.of(one.tracking_id), color);
  if (options.boxes) {
    context.strokeStyle = color;
    context.lineWidth = line;
    context.beginPath();
    context.roundRect(box.left, box.top, box.width, box.height, Math.min(6, box.width / 6, box.height / 6));
    context.stroke();
    context.fillStyle = color;
    const dots = [...(one.points ?? []), ...(one.keypoints ?? []).filter(([, , score]) => score > 0)];
    for (const [x, y] of dots.slice(0, 300)) {
      context.beginPath();
      context.arc(x * width, y * height, line * 1.2, 0, 2 * Math.PI);
      context.fill();
    }
  }
  if (options.labels) drawTitle(painter, titleOf(one), box.left, box.top, color);
  return { id: one.id, label: one.label, ...box };
}

function drawTrail(
  painter: Painter,
  trail: readonly { readonly x: number; readonly y: number }[],
  color: string,
): void {
  if (trail.length < 2) return;
  const { context, width, height, line } = painter;
  context.strokeStyle = color;
  context.lineWidth = Math.max(1, line * 0.75);
  context.beginPath();
  for (const { x, y } of trail) context.lineTo(x * width, y * height);
  context.stroke();
}
