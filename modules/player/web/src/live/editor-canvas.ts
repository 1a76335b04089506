import type { RegionEditor } from '../core/editor.ts';
import { edgesOf, type Shape } from '../core/shapes.ts';
import { drawTitle, painterOf, type Painter } from './draw.ts';

const HOVER = '#ffe600';
const FAULT = '#ff4d4d';

/** Draws what is being edited, once a screen refresh at most, and only when something changed. */
export class EditorCanvas {
  readonly #canvas: HTMLCanvasElement;
  readonly #editor: () => RegionEditor;
  #asked = 0;

  constructor(canvas: HTMLCanvasElement, editor: () => RegionEditor) {
    this.#canvas = canvas;
    this.#editor = editor;
  }

  /** Draws with the next refresh of the screen. */
  ask(): void {
    if (this.#asked !== 0) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#draw();
    });
  }

  stop(): void {
    cancelAnimationFrame(this.#asked);
  }

  #draw(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const painter = painterOf(this.#canvas, clientWidth, clientHeight);
    if (!painter) return;
    const editor = this.#editor();
    const faults = editor.dragging ? undefined : editor.faults;
    for (const shape of editor.shapes) drawShape(painter, shape, editor, faults?.has(shape.id) ?? false);
  }
}

function drawShape(painter: Painter, shape: Shape, editor: RegionEditor, faulty: boolean): void {
  const { context, width, height, line } = painter;
  const selected = editor.selected === shape.id;
  const hovered = editor.hover?.shape === shape.id;
  const { points } = shape;
  const [first] = points;
  if (!first) return;
  const open = editor.drawing === shape.id || shape.kind === 'line';
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x * width, y * height);
  if (!open) {
    context.closePath();
    context.fillStyle = `${shape.color}${selected ? '4d' : '26'}`;
    context.fill();
  }
  context.setLineDash(faulty && editor.drawing !== shape.id ? [8, 6] : []);
  context.strokeStyle = hovered && editor.mode === 'shape' ? HOVER : shape.color;
  context.lineWidth = selected ? line * 1.6 : line;
  context.stroke();
  context.setLineDash([]);
  if (shape.kind === 'line' && points.length === 2) drawArrow(painter, shape);
  if (editor.mode === 'edge') drawEdge(painter, shape, editor);
  drawTitle(
    painter,
    faulty ? `${shape.label} !` : shape.label,
    first[0] * width,
    first[1] * height - 8,
    faulty ? FAULT : shape.color,
  );
  if (selected || editor.mode === 'point') drawPoints(painter, shape, editor, selected);
}

function drawPoints(painter: Painter, shape: Shape, editor: RegionEditor, selected: boolean): void {
  const { context, width, height, line } = painter;
  shape.points.forEach(([x, y], index) => {
    const hot = editor.hover?.shape === shape.id && editor.hover.part === index && editor.mode === 'point';
    const chosen = selected && editor.part === index && editor.mode === 'point';
    context.beginPath();
    context.arc(x * width, y * height, line * (chosen || hot ? 3.4 : selected ? 2.6 : 1.8), 0, 2 * Math.PI);
    context.fillStyle = hot ? HOVER : chosen ? '#ffffff' : shape.color;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = '#10151b';
    context.stroke();
  });
}

function drawEdge(painter: Painter, shape: Shape, editor: RegionEditor): void {
  const { context, width, height, line } = painter;
  edgesOf(shape).forEach(([from, to], index) => {
    const hot = editor.hover?.shape === shape.id && editor.hover.part === index;
    const chosen = editor.selected === shape.id && editor.part === index;
    if (!hot && !chosen) return;
    context.beginPath();
    context.moveTo(from[0] * width, from[1] * height);
    context.lineTo(to[0] * width, to[1] * height);
    context.strokeStyle = hot ? HOVER : '#ffffff';
    context.lineWidth = line * 2.2;
    context.stroke();
  });
}

/** Points to the right of who walks from the first point to the second: the way that counts as left to right. */
function drawArrow(painter: Painter, { points, color, rule }: Shape): void {
  const { context, width, height, line } = painter;
  const [a, b] = points.map(([x, y]) => ({ x: x * width, y: y * height }));
  if (!a || !b) return;
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const right = { x: -(b.y - a.y) / length, y: (b.x - a.x) / length };
  const from = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const ways = rule?.direction === 'left_to_right' ? [1] : rule?.direction === 'right_to_left' ? [-1] : [1, -1];
  context.strokeStyle = color;
  context.lineWidth = line;
  for (const way of ways) {
    const tip = { x: from.x + right.x * way * 22, y: from.y + right.y * way * 22 };
    const along = { x: (b.x - a.x) / length, y: (b.y - a.y) / length };
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(tip.x, tip.y);
    for (const side of [-1, 1]) {
      context.moveTo(tip.x, tip.y);
      context.lineTo(tip.x - right.x * way * 8 + along.x * side * 5, tip.y - right.y * way * 8 + along.y * side * 5);
    }
    context.stroke();
  }
}
