import { redact } from '@vantage/observability';

const LINE_CHARACTERS = 500;
const TAIL_CHARACTERS = 8192;
const BURST = 40;
const PER_SECOND = 10;

/**
 * What a parser prints, as single lines for the log: without credentials and control characters, each at most 500
 * characters, at most 40 at once and 10 a second. How many were left out is said with the next line that is shown.
 */
export class OutputLines {
  readonly #show: (line: string) => void;
  readonly #now: () => number;
  #rest = '';
  #tail = '';
  #allowance = BURST;
  #refilledAt: number;
  #leftOut = 0;

  constructor(show: (line: string) => void, now: () => number = () => performance.now()) {
    this.#show = show;
    this.#now = now;
    this.#refilledAt = now();
  }

  /** The last 8192 characters since {@link forget}, as they came. */
  get tail(): string {
    return this.#tail;
  }

  forget(): void {
    this.#tail = '';
  }

  push(chunk: Buffer): void {
    const text = chunk.toString('utf8');
    this.#tail = (this.#tail + text).slice(-TAIL_CHARACTERS);
    const lines = (this.#rest + text).split('\n');
    // A line without an end must not grow for ever: what is beyond the limit would not be shown anyway.
    this.#rest = (lines.pop() ?? '').slice(0, 2 * LINE_CHARACTERS);
    for (const line of lines) this.#line(line);
  }

  /** Shows what has no line end. */
  end(): void {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    const now = this.#now();
    this.#allowance = Math.min(BURST, this.#allowance + ((now - this.#refilledAt) / 1000) * PER_SECOND);
    this.#refilledAt = now;
    if (this.#allowance < 1) {
      this.#leftOut += 1;
      return;
    }
    this.#allowance -= 1;
    const note = this.#leftOut === 0 ? '' : ` (${this.#leftOut} lines before it are not shown)`;
    this.#leftOut = 0;
    this.#show(oneLine(line) + note);
  }
}

/** A text that is safe to log and report: one line, without credentials, shortened. */
export function oneLine(text: string): string {
  const clean = redact(text)
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return clean.length > LINE_CHARACTERS ? `${clean.slice(0, LINE_CHARACTERS)}...` : clean;
}
