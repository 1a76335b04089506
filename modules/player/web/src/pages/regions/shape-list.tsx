import type { JSX } from 'preact';
import type { RegionEditor } from '../../core/editor.ts';
import { Icon } from '../../ui/icons.tsx';

/** All shapes by name: choose, rename, recolour, remove; and what is wrong with each. */
export function ShapeList({ editor, faults }: { editor: RegionEditor; faults: Map<number, string> }): JSX.Element {
  if (editor.shapes.length === 0) return <p class="dim">Nothing is drawn yet. Add a region, then click its corners.</p>;
  return (
    <ul class="shapes">
      {editor.shapes.map(({ id, label, color, kind, points, rule }, index) => {
        const fault = faults.get(id);
        const drawing = editor.drawing === id;
        const what = kind === 'line' ? `line of ${rule?.skill ?? 'a skill'}` : `${points.length} points`;
        return (
          <li
            key={id}
            class={editor.selected === id ? 'selected' : ''}
            onFocusIn={() => editor.selected !== id && editor.select(id)}
          >
            <div class="shape-row">
              <input
                type="color"
                value={color}
                aria-label={`Colour of ${label}`}
                disabled={kind === 'line'}
                onChange={(event) => editor.recolor(id, event.currentTarget.value)}
              />
              <input
                type="text"
                title={label}
                value={label}
                aria-label={`Name of shape ${index + 1}`}
                aria-invalid={fault !== undefined && !drawing}
                aria-describedby={fault === undefined ? undefined : `fault-${id}`}
                disabled={kind === 'line'}
                onChange={(event) => editor.rename(id, event.currentTarget.value)}
              />
              <button type="button" class="icon-button" onClick={() => editor.remove(id)}>
                <Icon name="trash" size={18} />
                <span class="hidden-text">Remove {label}</span>
              </button>
            </div>
            <small class="dim">{what}</small>
            {fault && (
              <p id={`fault-${id}`} class={drawing ? 'dim' : 'fault'} role={drawing ? undefined : 'alert'}>
                {fault}
              </p>
            )}
          </li>
        );
      })}
    </ul>
  );
}
