import { signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';

/** What was done or went wrong just now; read aloud by screen readers. */
export const news = signal<{ readonly text: string; readonly kind: 'good' | 'bad'; readonly at: number } | undefined>(
  undefined,
);

const NEWS_MS = 7000;

export function tell(text: string, kind: 'good' | 'bad' = 'good'): void {
  const at = Date.now();
  news.value = { text, kind, at };
  window.setTimeout(() => {
    if (news.value?.at === at) news.value = undefined;
  }, NEWS_MS);
}

export function News(): JSX.Element {
  const now = news.value;
  return (
    <div class="news" role="status" aria-live="polite">
      {now && <p class={`news-text ${now.kind}`}>{now.text}</p>}
    </div>
  );
}

export function Heading({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <header class="heading">
      <h1 tabIndex={-1}>{title}</h1>
      <div class="heading-tools">{children}</div>
    </header>
  );
}

/** A sentence about something that is not as it should be. */
export function Notice({
  kind = 'bad',
  children,
}: {
  kind?: 'bad' | 'warn' | 'good';
  children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Good, bad or in between, in a word; never by colour alone. */
export function Badge({
  kind,
  children,
}: {
  kind: 'good' | 'bad' | 'warn' | 'plain';
  children: ComponentChildren;
}): JSX.Element {
  return <span class={`badge ${kind}`}>{children}</span>;
}

/** How a state of a camera or module is to be taken. */
export function kindOf(state: string): 'good' | 'bad' | 'warn' | 'plain' {
  if (/^(running|connected|ok|applied|ready|playing|live|done)$/i.test(state)) return 'good';
  if (/fail|error|stopped|refused|unreachable|backoff|full|dead/i.test(state)) return 'bad';
  return /^(unused|off|notConfigured)$/i.test(state) ? 'plain' : 'warn';
}

export function Toggle(props: { on: boolean; label: string; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label class="toggle">
      <input type="checkbox" checked={props.on} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>{props.label}</span>
    </label>
  );
}

interface ChoiceProps<T> {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly name: string; readonly title?: string }[];
  /** Undefined: none of them. */
  readonly value: T | undefined;
  readonly disabled?: boolean;
  readonly onChange: (value: T) => void;
}

/** One of a few, side by side; the arrow keys go from one to the next. */
export function Choice<T extends string | number>(props: ChoiceProps<T>): JSX.Element {
  const { label, options, value, disabled = false, onChange } = props;
  const group = useId();
  return (
    <div class="modes" role="radiogroup" aria-label={label}>
      {options.map((one) => (
        <label key={one.value} title={one.title}>
          <input
            type="radio"
            name={group}
            checked={one.value === value}
            disabled={disabled}
            onChange={() => onChange(one.value)}
          />
          <span>{one.name}</span>
        </label>
      ))}
    </div>
  );
}
