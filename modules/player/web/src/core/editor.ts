import { History } from './history.ts';
import { distance, middle, PICK_POINT, settle, type Point } from './geometry.ts';
import { dragged, shifted, type Drag, type Mode } from './moves.ts';
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

/**
 * Drawing regions and lines on a picture, without a browser: places come as fractions of the picture, and what is drawn
 * goes out as immutable shapes. A drag is one step of undo. `changed` is called after each change of anything that can be
 * seen. Keys: `pressKey`.
 */
export class RegionEditor {
  readonly #history: History<readonly Shape[]>;
  readonly #changed: () => void;
  #drag: (Drag & { readonly shape: number }) | undefined;
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
    this.drawing = undefined;
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
    this.#history.push([...this.shapes, shape]);
    this.selected = shape.id;
    this.drawing = shape.id;
    this.part = -1;
    this.#changed();
    return shape;
  }

  select(id: number | undefined, part = -1): void {
    if (id !== this.drawing) this.drawing = undefined;
    this.selected = id;
    this.part = part;
    this.#changed();
  }

  rename(id: number, label: string): void {
    this.#replace(id, (shape) => ({ ...shape, label: label.slice(0, 200) }));
    this.#changed();
  }

  recolor(id: number, color: string): void {
    this.#replace(id, (shape) => ({ ...shape, color }));
    this.#changed();
  }

  remove(id: number): void {
    this.#history.push(this.shapes.filter((shape) => shape.id !== id));
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
    this.#hold(hit, at);
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
    const points = dragged(drag, this.#mode, at, snap);
    this.#dragged = this.#history.present.map((shape) => (shape.id === drag.shape ? { ...shape, points } : shape));
    this.#changed();
  }

  release(): void {
    const shapes = this.#dragged;
    this.#drag = undefined;
    this.#dragged = undefined;
    if (shapes) this.#history.push(shapes);
    this.#changed();
  }

  /** One more point behind the selected one: half way to the next, where it can be seen and dragged. */
  insertPoint(): void {
    const shape = this.shape(this.selected);
    if (!shape || (shape.kind === 'line' && shape.points.length >= 2)) return;
    if (shape.points.length < 2) return void this.#draw(shape.points.length === 0 ? [0.5, 0.5] : [0.6, 0.5], false);
    const index = Math.max(0, this.part);
    const [from, to] = [shape.points[index], shape.points[(index + 1) % shape.points.length]];
    if (from && to) this.#insertAt(shape, index + 1, settle(middle(from, to), false));
  }

  /** Takes the selected point away as long as enough are left; without one, the shape. */
  deletePart(): void {
    const shape = this.shape(this.selected);
    if (!shape) return;
    const part = this.part;
    if (this.#mode !== 'point' || part < 0) return this.remove(shape.id);
    const least = shape.kind === 'line' ? 2 : 3;
    if (shape.points.length <= least && this.drawing !== shape.id) return;
    this.#replace(shape.id, (one) => ({ ...one, points: one.points.toSpliced(part, 1) }));
    this.part = Math.min(part, shape.points.length - 2);
    this.#changed();
  }

  /** The shape that is drawn has all its points. */
  finish(): void {
    this.drawing = undefined;
    this.#changed();
  }

  /** Ends the drawing, and throws it away where there is nothing of it; else nothing is selected any more. */
  cancel(): void {
    if (this.drawing === undefined) return this.select(undefined);
    const shape = this.shape(this.drawing);
    if (shape?.points.length === 0) return this.remove(shape.id);
    this.finish();
  }

  /** To the next (1) or previous (-1) point or edge of the selected shape. */
  cycle(by: number): void {
    const shape = this.shape(this.selected);
    const count = !shape ? 0 : this.#mode === 'edge' ? edgesOf(shape).length : shape.points.length;
    if (count === 0 || this.#mode === 'shape') return;
    this.part = (this.part + by + count) % count;
    this.#changed();
  }

  /** Moves what is selected by a fraction of the picture. @returns whether anything is selected */
  nudge(dx: number, dy: number): boolean {
    const shape = this.shape(this.selected);
    if (!shape || shape.points.length === 0) return false;
    this.#replace(shape.id, (one) => ({ ...one, points: shifted(one.points, this.#mode, this.part, dx, dy) }));
    this.#changed();
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
      this.drawing = undefined;
      this.#changed();
      return false;
    }
    const points = [...shape.points, settle(at, snap)];
    this.#replace(shape.id, (one) => ({ ...one, points }));
    this.part = points.length - 1;
    if (shape.kind === 'line' && points.length === 2) this.drawing = undefined;
    this.#changed();
    return true;
  }

  #insertOnEdge(at: Point, snap: boolean): boolean {
    const shape = this.shape(this.selected);
    if (shape?.kind !== 'polygon') return false;
    const hit = pickEdge([shape], at);
    if (!hit) return false;
    this.#insertAt(shape, hit.part + 1, settle(at, snap));
    this.#hold({ shape: shape.id, part: hit.part + 1 }, at);
    return true;
  }

  #insertAt(shape: Shape, index: number, point: Point): void {
    this.#replace(shape.id, (one) => ({ ...one, points: one.points.toSpliced(index, 0, point) }));
    this.part = this.#mode === 'edge' ? index - 1 : index;
    this.#changed();
  }

  #hold({ shape, part }: Hit, from: Point): void {
    const points = this.shape(shape)?.points;
    if (points) this.#drag = { shape, from, points, part };
  }

  #replace(id: number, by: (shape: Shape) => Shape): void {
    this.#history.push(this.shapes.map((shape) => (shape.id === id ? by(shape) : shape)));
  }

  #afterTravel(): void {
    if (!this.shape(this.selected)) this.selected = undefined;
    this.part = -1;
    this.hover = undefined;
    // Who takes back a corner goes on drawing.
    if (!this.shape(this.drawing)) this.drawing = undefined;
    this.#changed();
  }
}
