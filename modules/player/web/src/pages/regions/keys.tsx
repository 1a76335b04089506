import type { JSX } from 'preact';

const KEYS: readonly (readonly [string, string])[] = [
  ['1 2 3', 'points, edges, shapes'],
  ['Insert +', 'one more point behind the selected one'],
  ['Delete −', 'takes the selected point or shape away'],
  ['arrows', 'move; with Shift further'],
  ['[ ]', 'previous, next point or edge'],
  ['Enter', 'ends the drawing'],
  ['Ctrl Z, Y', 'undo, redo'],
  ['Alt', 'held while dragging: does not snap to the border'],
];

export function Keys(): JSX.Element {
  return (
    <details class="card keys">
      <summary>Keys</summary>
      <dl>
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
