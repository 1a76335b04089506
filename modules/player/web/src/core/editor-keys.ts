import type { RegionEditor } from './editor.ts';
import { MODES } from './moves.ts';

/** A step with the arrow keys, as a fraction of the picture; with Shift ten of them. */
const STEP = 0.005;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/**
 * The editor by keys alone (docs/player.md). Names are those of `KeyboardEvent.key`.
 *
 * @returns whether the key meant something here
 */
export function pressKey(editor: RegionEditor, key: string, { control = false, shift = false } = {}): boolean {
  if (control) return travel(editor, key.toLowerCase(), shift);
  const mode = MODES[Number(key) - 1];
  const arrow = ARROWS[key];
  if (mode) editor.mode = mode;
  else if (arrow) return editor.nudge(arrow[0] * (shift ? 10 : 1), arrow[1] * (shift ? 10 : 1));
  else if (key === 'Insert' || key === '+' || key === '=') editor.insertPoint();
  else if (key === 'Delete' || key === 'Backspace' || key === '-') editor.deletePart();
  else if (key === 'Enter') editor.finish();
  else if (key === 'Escape') editor.cancel();
  else if (key === '[' || key === ']') editor.cycle(key === ']' ? 1 : -1);
  else return false;
  return true;
}

function travel(editor: RegionEditor, key: string, shift: boolean): boolean {
  if (key === 'y' || (key === 'z' && shift)) editor.redo();
  else if (key === 'z') editor.undo();
  else return false;
  return true;
}
