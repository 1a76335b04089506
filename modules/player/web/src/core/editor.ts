import { History } from './history.ts';
import { distance, middle, moveTogether, PICK_POINT, settle, type Point } from './geometry.ts';
import {
  edgesOf,
  faultsOf,
  freeColor,
  freeLabel,
  newId,
  pickEdge,
  pickPoint,
  pickShape,
  type Hit,
  type LineRule,
  type Shape,
  type ShapeKind,
} from './shapes.ts';

export type Mode = 'point' | 'edge' | 'shape';
export const MODES: readonly Mode[] = ['point', 'edge', 'shape'];

/** A step with the arrow keys, as a fraction of the picture; with Shift ten of them. */
const STEP = 0.005;

interface Drag {
  readonly from: Point;
  readonly before: Shape;
  readonly part: number;
}

/**
 * Drawing regions and lines on a picture, without a browser: places come as fractions of the picture, keys by their
 * names, and what is drawn goes out as immutable shapes. A drag is one step of undo. `changed` is called after each
 * change of anything that can be seen.
 */
export class RegionEditor {
  readonly #history: History<readonly Shape[]>;
  readonly #changed: () => void;
  #drag: Drag | undefined;
  /** Shapes while a drag goes on; they become history when it ends. */
  #dragged: readonly Shape[] | undefined;
  #mode: Mode = 'point';
  selected: number | undefined;
  /** The selected point or edge of the selected shape, -1 for none. */
  part = -1;
  hover: Hit | undefined;
  /** The new shape that still takes points at each click. */
  drawing: number | undefined;

  constructor(shapes: readonly Shape[], changed: () => void = () => undefined) {
    this.#history = new History(shapes);
    this.#changed = changed;
  }

  get shapes(): readonly Shape[] {
    return this.#dragged ?? this.#history.present;
  }

  get mode(): Mode {
    return this.#mode;
  }

  set mode(mode: Mode) {
    this.#mode = mode;
    this.part = -1;
    this.hover = undefined;
    this.#endDrawing();
    this.#changed();
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  get dragging(): boolean {
    return this.#drag !== undefined;
  }

  get faults(): Map<number, string> {
    return faultsOf(this.shapes);
  }

  shape(id: number | undefined): Shape | undefined {
    return this.shapes.find((shape) => shape.id === id);
  }

  /** A new shape without points: the next clicks give them. */
  add(kind: ShapeKind, rule?: LineRule): Shape {
    const base = { id: newId(), kind, label: freeLabel(this.shapes, kind), color: freeColor(this.shapes), points: [] };
    const shape: Shape = rule ? { ...base, rule } : base;
    this.#mode = 'point';
    this.#push([...this.shapes, shape]);
    this.selected = shape.id;
    this.drawing = shape.id;
    this.part = -1;
    this.#changed();
    return shape;
  }

  select(id: number | undefined, part = -1): void {
    if (id !== this.drawing) this.#endDrawing();
    this.selected = id;
    this.part = part;
    this.#changed();
  }

  rename(id: number, label: string): void {
    this.#replace(id, (shape) => ({ ...shape, label: label.slice(0, 200) }));
  }

  recolor(id: number, color: string): void {
    this.#replace(id, (shape) => ({ ...shape, color }));
  }

  remove(id: number): void {
    this.#push(this.shapes.filter((shape) => shape.id !== id));
    if (this.selected === id) this.selected = undefined;
    if (this.drawing === id) this.drawing = undefined;
    this.part = -1;
    this.#changed();
  }

  undo(): void {
    if (this.#history.undo()) this.#afterTravel();
  }

  redo(): void {
    if (this.#history.redo()) this.#afterTravel();
  }

  /** The button goes down at a place: a point is added, or something is taken hold of. */
  press(at: Point, snap = true): void {
    if (this.drawing !== undefined && this.#draw(at, snap)) return;
    const hit = this.#pick(at);
    if (!hit) {
      if (this.#mode === 'point' && this.#insertOnEdge(at, snap)) return;
      return this.select(undefined);
    }
    this.selected = hit.shape;
    this.part = hit.part;
    const before = this.shape(hit.shape);
    if (before) this.#drag = { from: at, before, part: hit.part };
    this.#changed();
  }

  move(at: Point, snap = true): void {
    const drag = this.#drag;
    if (!drag) {
      const hover = this.drawing === undefined ? this.#pick(at) : undefined;
      if (hover?.shape === this.hover?.shape && hover?.part === this.hover?.part) return;
      this.hover = hover;
      return this.#changed();
    }
    const moved = { ...drag.before, points: this.#moved(drag, at, snap) };
    this.#dragged = this.#history.present.map((shape) => (shape.id === moved.id ? moved : shape));
    this.#changed();
  }

  release(): void {
    const dragged = this.#dragged;
    this.#drag = undefined;
    this.#dragged = undefined;
    if (dragged) this.#push(dragged);
    this.#changed();
  }

  /** Whether the key meant something here. Names are those of `KeyboardEvent.key`. */
  key(key: string, { control = false, shift = false } = {}): boolean {
    if (control) {
      const lower = key.toLowerCase();
      if (lower === 'z') (shift ? () => this.redo() : () => this.undo())();
      else if (lower === 'y') this.redo();
      else return false;
      return true;
    }
    const mode = MODES[Number(key) - 1];
    if (mode) this.mode = mode;
    else if (key === 'Insert' || key === '+' || key === '=') this.#insert();
    else if (key === 'Delete' || key === 'Backspace' || key === '-') this.#delete();
    else if (key === 'Enter' || key === 'Escape') this.#escape(key);
    else if (key === '[' || key === ']') this.#cycle(key === ']' ? 1 : -1);
    else if (key.startsWith('Arrow')) return this.#nudge(key, shift ? 10 * STEP : STEP);
    else return false;
    return true;
  }

  #pick(at: Point): Hit | undefined {
    if (this.#mode === 'point') return pickPoint(this.shapes, at, this.selected);
    return (this.#mode === 'edge' ? pickEdge : pickShape)(this.shapes, at, this.selected);
  }

  /** A click while a new shape is drawn; false when it ended the drawing by a click on its first point. */
  #draw(at: Point, snap: boolean): boolean {
    const shape = this.shape(this.drawing);
    if (!shape) return false;
    const [first] = shape.points;
    if (first && shape.points.length > 2 && distance(first, at) < PICK_POINT) {
      this.#endDrawing();
      this.#changed();
      return false;
    }
    const points = [...shape.points, settle(at, snap)];
    this.#replace(shape.id, (one) => ({ ...one, points }), false);
    this.part = points.length - 1;
    if (shape.kind === 'line' && points.length === 2) this.#endDrawing();
    this.#changed();
    return true;
  }

  #insertOnEdge(at: Point, snap: boolean): boolean {
    const shape = this.shape(this.selected);
    if (shape?.kind !== 'polygon') return false;
    const hit = pickEdge([shape], at);
    if (!hit) return false;
    this.#insertAt(shape, hit.part + 1, settle(at, snap));
    const before = this.shape(shape.id);
    if (before) this.#drag = { from: at, before, part: hit.part + 1 };
    return true;
  }

  #insertAt(shape: Shape, index: number, point: Point): void {
    this.#replace(shape.id, (one) => ({ ...one, points: one.points.toSpliced(index, 0, point) }), false);
    this.part = this.#mode === 'edge' ? index - 1 : index;
    this.#changed();
  }

  /** One more point behind the selected one: half way to the next, where it can be seen and dragged. */
  #insert(): void {
    const shape = this.shape(this.selected);
    if (!shape || (shape.kind === 'line' && shape.points.length >= 2)) return;
    if (shape.points.length < 2) return void this.#draw(shape.points.length === 0 ? [0.5, 0.5] : [0.6, 0.5], false);
    const index = Math.max(0, this.part);
    const [from, to] = [shape.points[index], shape.points[(index + 1) % shape.points.length]];
    if (from && to) this.#insertAt(shape, index + 1, settle(middle(from, to), false));
  }

  /** The selected point; without one, or where too few would be left, the shape. */
  #delete(): void {
    const shape = this.shape(this.selected);
    if (!shape) return;
    const least = shape.kind === 'line' ? 2 : 3;
    const drawing = this.drawing === shape.id;
    if (this.#mode !== 'point' || this.part < 0 || (shape.points.length <= least && !drawing)) {
      if (this.#mode !== 'point' || this.part < 0) this.remove(shape.id);
      return;
    }
    const part = this.part;
    this.#replace(shape.id, (one) => ({ ...one, points: one.points.toSpliced(part, 1) }), false);
    this.part = Math.min(part, shape.points.length - 2);
    this.#changed();
  }

  #escape(key: string): void {
    if (this.drawing !== undefined) {
      const shape = this.shape(this.drawing);
      if (key === 'Escape' && shape && shape.points.length === 0) return this.remove(shape.id);
      this.#endDrawing();
      return this.#changed();
    }
    if (key === 'Escape') this.select(undefined);
  }

  #cycle(by: number): void {
    const shape = this.shape(this.selected);
    const count = !shape ? 0 : this.#mode === 'edge' ? edgesOf(shape).length : shape.points.length;
    if (count === 0 || this.#mode === 'shape') return;
    this.part = (this.part + by + count) % count;
    this.#changed();
  }

  #nudge(key: string, by: number): boolean {
    const shape = this.shape(this.selected);
    if (!shape || shape.points.length === 0) return false;
    const [dx, dy] = [{ ArrowLeft: -by, ArrowRight: by }[key] ?? 0, { ArrowUp: -by, ArrowDown: by }[key] ?? 0];
    const part = this.#mode === 'shape' ? -1 : this.part;
    const points = this.#shift(shape.points, part, dx, dy);
    this.#replace(shape.id, (one) => ({ ...one, points }));
    return true;
  }

  #moved({ from, before, part }: Drag, at: Point, snap: boolean): readonly Point[] {
    if (this.#mode === 'point' && part >= 0) {
      const point = before.points[part] ?? from;
      const target: Point = [point[0] + at[0] - from[0], point[1] + at[1] - from[1]];
      return before.points.with(part, settle(target, snap));
    }
    return this.#shift(before.points, part, at[0] - from[0], at[1] - from[1]);
  }

  /** Moves a point, the two ends of an edge, or (part -1) everything, and never out of the frame. */
  #shift(points: readonly Point[], part: number, dx: number, dy: number): readonly Point[] {
    if (part < 0) return moveTogether(points, dx, dy);
    const indexes = this.#mode === 'edge' ? [part, (part + 1) % points.length] : [part];
    const ends = indexes.flatMap((index) => (points[index] ? [points[index]] : []));
    const moved = moveTogether(ends, dx, dy);
    return points.map((point, index) => moved[indexes.indexOf(index)] ?? point);
  }

  #replace(id: number, by: (shape: Shape) => Shape, tell = true): void {
    this.#push(this.shapes.map((shape) => (shape.id === id ? by(shape) : shape)));
    if (tell) this.#changed();
  }

  #push(shapes: readonly Shape[]): void {
    this.#history.push(shapes);
  }

  #endDrawing(): void {
    this.drawing = undefined;
  }

  #afterTravel(): void {
    if (!this.shape(this.selected)) this.selected = undefined;
    this.part = -1;
    this.hover = undefined;
    this.#endDrawing();
    this.#changed();
  }
}
