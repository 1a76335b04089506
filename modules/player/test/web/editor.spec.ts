import { beforeEach, describe, expect, test } from '@jest/globals';
import { pressKey } from '../../web/src/core/editor-keys.ts';
import { RegionEditor } from '../../web/src/core/editor.ts';
import type { Point } from '../../web/src/core/geometry.ts';
import { History } from '../../web/src/core/history.ts';
import { shapeOf } from '../../web/src/core/shapes.ts';

const CORNERS: Point[] = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]]; // prettier-ignore

describe('an editor with one square', () => {
  let editor: RegionEditor;
  let id: number;
  const points = (): readonly Point[] => editor.shape(id)!.points;
  const drag = (from: Point, to: Point): void => {
    editor.press(from);
    editor.move(to);
    editor.release();
  };

  beforeEach(() => {
    const square = shapeOf({ label: 'door', color: '#ffc800', coordinates: CORNERS });
    id = square.id;
    editor = new RegionEditor([square]);
  });

  test('contract I.31: add, three clicks, and it can be saved', () => {
    const added = editor.add('polygon');
    expect(added.label).toBe('Region of interest #1');
    expect(editor.faults.get(added.id)).toMatch(/this has 0/);
    for (const at of [[0.7, 0.1], [0.9, 0.1], [0.9, 0.4]] as Point[]) editor.press(at); // prettier-ignore
    expect(editor.shape(added.id)!.points).toEqual([[0.7, 0.1], [0.9, 0.1], [0.9, 0.4]]); // prettier-ignore
    expect(editor.faults.size).toBe(0);
    expect(points()).toEqual(CORNERS);
    // Its first corner ends it: the next click takes hold of something instead of adding.
    editor.press([0.7, 0.1]);
    editor.release();
    expect(editor.drawing).toBeUndefined();
    expect(editor.shape(added.id)!.points).toHaveLength(3);
  });

  test('a dragged point moves, snaps to the border, and is one step of undo', () => {
    editor.press([0.61, 0.6]);
    editor.move([0.8, 0.7]);
    editor.move([1.2, 0.99]);
    expect(points()[2]).toEqual([1, 1]);
    editor.release();
    editor.undo();
    expect(points()).toEqual(CORNERS);
    editor.redo();
    expect(points()[2]).toEqual([1, 1]);
    expect(editor.canRedo).toBe(false);
  });

  test('mode 2 drags an edge, mode 3 the shape, and neither leaves the frame', () => {
    pressKey(editor, '2');
    drag([0.4, 0.2], [0.4, 0.1]);
    expect(points()).toEqual([[0.2, 0.1], [0.6, 0.1], [0.6, 0.6], [0.2, 0.6]]); // prettier-ignore
    pressKey(editor, '3');
    drag([0.4, 0.4], [0.95, 0.4]);
    expect(points()).toEqual([[0.6, 0.1], [1, 0.1], [1, 0.6], [0.6, 0.6]]); // prettier-ignore
  });

  test.each(['Insert', '+', '='])('%s puts a point behind the selected one', (key) => {
    editor.select(id, 1);
    expect(pressKey(editor, key)).toBe(true);
    expect(points()).toEqual([...CORNERS.slice(0, 2), [0.6, 0.4], ...CORNERS.slice(2)]);
    expect(editor.part).toBe(2);
  });

  test.each(['Delete', '-'])('%s takes the selected point, but never below three', (key) => {
    editor.select(id, 0);
    pressKey(editor, key);
    expect(points()).toEqual(CORNERS.slice(1));
    pressKey(editor, key);
    expect(points()).toHaveLength(3);
    editor.select(id);
    pressKey(editor, key);
    expect(editor.shapes).toEqual([]);
  });

  test('a click on an edge of the selected shape adds a point there, which can be dragged at once', () => {
    editor.select(id);
    drag([0.4, 0.21], [0.4, 0.3]);
    expect(points()).toEqual([CORNERS[0], [0.4, 0.3], ...CORNERS.slice(1)]);
  });

  test('keys alone: choose with brackets, move with arrows, further with Shift', () => {
    editor.select(id);
    pressKey(editor, ']');
    pressKey(editor, 'ArrowRight');
    pressKey(editor, 'ArrowDown', { shift: true });
    expect(points()[0]).toEqual([0.205, 0.25]);
    pressKey(editor, 'z', { control: true });
    pressKey(editor, 'z', { control: true });
    expect(points()).toEqual(CORNERS);
    expect(pressKey(editor, 'x')).toBe(false);
  });

  test('who takes back a corner goes on drawing', () => {
    const { id: added } = editor.add('polygon');
    for (const at of [[0.7, 0.1], [0.9, 0.1], [0.1, 0.9]] as Point[]) editor.press(at); // prettier-ignore
    pressKey(editor, 'z', { control: true });
    editor.press([0.9, 0.4]);
    expect(editor.shape(added)!.points).toEqual([[0.7, 0.1], [0.9, 0.1], [0.9, 0.4]]); // prettier-ignore
    for (let step = 0; step < 4; step += 1) editor.undo();
    expect([editor.drawing, editor.shapes.length]).toEqual([undefined, 1]);
  });

  test('Escape throws an empty new shape away and ends one that has points', () => {
    editor.add('polygon');
    pressKey(editor, 'Escape');
    expect(editor.shapes).toHaveLength(1);
    const line = editor.add('line', { skill: 'door', direction: 'both' });
    editor.press([0.1, 0.1]);
    editor.press([0.5, 0.1]);
    expect([editor.drawing, editor.shape(line.id)!.points]).toEqual([undefined, [[0.1, 0.1], [0.5, 0.1]]]); // prettier-ignore
    editor.select(line.id, 0);
    pressKey(editor, '+');
    expect(editor.shape(line.id)!.points).toHaveLength(2);
  });

  test('a self-crossing outline is named in place, and an empty name, too', () => {
    drag([0.6, 0.6], [0.4, 0.05]);
    expect(editor.faults.get(id)).toMatch(/edges .* cross/);
    editor.undo();
    editor.rename(id, '  ');
    expect(editor.faults.get(id)).toBe('Give it a name.');
  });

  test('nothing changed means nothing to undo', () => {
    editor.press([0.2, 0.2]);
    editor.release();
    expect(editor.canUndo).toBe(false);
  });
});

test('history is bounded: the oldest state is forgotten', () => {
  const history = new History(0, 3);
  for (let state = 1; state <= 5; state += 1) history.push(state);
  while (history.undo());
  expect(history.present).toBe(2);
});
