import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { pressKey } from '../../core/editor-keys.ts';
import type { RegionEditor } from '../../core/editor.ts';
import type { Point } from '../../core/geometry.ts';
import { EditorCanvas } from '../../live/editor-canvas.ts';

/** Takes mouse, finger, pen and keys for the editor, and draws what it holds. */
export function DrawingBoard({ editor }: { editor: RegionEditor }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<EditorCanvas | undefined>(undefined);
  const current = useRef(editor);
  current.current = editor;

  useEffect(() => {
    if (!canvas.current) return;
    const drawn = new EditorCanvas(canvas.current, () => current.current);
    const resized = new ResizeObserver(() => drawn.ask());
    resized.observe(canvas.current);
    painter.current = drawn;
    return () => {
      resized.disconnect();
      drawn.stop();
    };
  }, []);
  // The page renders whenever the editor changes; the picture follows with the next refresh.
  useEffect(() => painter.current?.ask());

  const at = (event: PointerEvent): Point => {
    const box = canvas.current?.getBoundingClientRect();
    if (!box || box.width === 0 || box.height === 0) return [0, 0];
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const shape = editor.shape(editor.selected);
  const cursor = editor.drawing !== undefined ? 'crosshair' : editor.hover ? 'move' : 'default';
  return (
    <>
      <canvas
        ref={canvas}
        class="board"
        style={{ cursor }}
        tabIndex={0}
        role="application"
        aria-label="Drawing board. Keys: 1 points, 2 edges, 3 shapes, arrows move, plus adds a point, minus takes it away, brackets choose a point."
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.focus({ preventScroll: true });
          event.currentTarget.setPointerCapture(event.pointerId);
          editor.press(at(event), !event.altKey);
        }}
        onPointerMove={(event) => editor.move(at(event), !event.altKey)}
        onPointerUp={() => editor.release()}
        onPointerCancel={() => editor.release()}
        onKeyDown={(event) => {
          const { key, ctrlKey, metaKey, shiftKey } = event;
          if (pressKey(editor, key, { control: ctrlKey || metaKey, shift: shiftKey })) event.preventDefault();
        }}
      />
      <p class="hidden-text" aria-live="polite">
        {shape
          ? `${shape.label}, ${shape.points.length} points${editor.part >= 0 ? `, ${editor.mode} ${editor.part + 1} selected` : ''}`
          : 'nothing selected'}
      </p>
    </>
  );
}
