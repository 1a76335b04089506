import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { fromRoot, lineOf, locate } from '../../core/locate.ts';
import type { Issue } from '../../core/schema-form.ts';

interface Props {
  readonly text: string;
  readonly fault: { readonly message: string; readonly line: number } | undefined;
  readonly issues: readonly Issue[];
  readonly onChange: (text: string) => void;
}

/** The twin as text, with what is wrong at its line. */
export function JsonEditor({ text, fault, issues, onChange }: Props): JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const lines = text.split('\n').length;
  const root: unknown = fault ? undefined : JSON.parse(text);
  const marks = fault
    ? [{ line: fault.line, severity: 'error' as const, message: fault.message, offset: offsetOf(text, fault.line) }]
    : issues.map(({ path, severity, message }) => {
        const offset = locate(text, fromRoot(root, path));
        return { line: lineOf(text, offset).line, severity, message, offset };
      });
  const marked = new Map(marks.map(({ line, severity }) => [line, severity]));
  const go = (offset: number): void => {
    area.current?.focus();
    area.current?.setSelectionRange(offset, offset);
  };
  return (
    <div class="json">
      {marks.length > 0 && (
        <ul class="issues" aria-live="polite">
          {marks.map(({ line, severity, message, offset }) => (
            <li key={`${line} ${message}`} class={severity}>
              <button type="button" class="link" onClick={() => go(offset)}>
                line {line}
              </button>{' '}
              {message}
            </li>
          ))}
        </ul>
      )}
      <div class="json-box">
        <div ref={gutter} class="gutter" aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <span key={index} class={marked.get(index + 1) ?? ''}>
              {index + 1}
            </span>
          ))}
        </div>
        <textarea
          ref={area}
          aria-label="Desired properties as JSON"
          aria-invalid={fault !== undefined}
          spellcheck={false}
          autocapitalize="off"
          wrap="off"
          value={text}
          onInput={(event) => onChange(event.currentTarget.value)}
          onScroll={(event) => {
            if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
          }}
        />
      </div>
    </div>
  );
}

function offsetOf(text: string, line: number): number {
  return (
    text
      .split('\n')
      .slice(0, line - 1)
      .join('\n').length + (line > 1 ? 1 : 0)
  );
}
