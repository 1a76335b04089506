/** Something in a skill that is wrong, and what to do about it. */
export interface SkillIssue {
  /** `error`: the skill does not run. `warning`: it runs, but perhaps not as meant. */
  readonly severity: 'error' | 'warning';
  /** Id of the node it is about. */
  readonly node?: string;
  /** Where in the document, for example `nodes[2].configurations.port`; empty for the whole of it. */
  readonly path: string;
  /** What is wrong, what to do: a sentence or two. */
  readonly message: string;
  /** An error to correct, and yet the skill runs: what happens instead. */
  readonly atRunTime?: string;
}

/** Enough to mend a document by; those beyond are counted. */
const MAX_ISSUES = 100;
const MAX_MESSAGE_CHARS = 400;
const MAX_QUOTED_CHARS = 60;

/** Collects issues in the order in which they are found; bounded. */
export class Issues {
  readonly #found: SkillIssue[] = [];
  #beyond = 0;

  get all(): readonly SkillIssue[] {
    if (this.#beyond === 0) return this.#found;
    const message = `${this.#beyond} more issues are not listed`;
    return [...this.#found, { severity: this.hasErrors ? 'error' : 'warning', path: '', message }];
  }

  /** Whether something keeps the skill from running. */
  get hasErrors(): boolean {
    return this.#found.some(isFatal);
  }

  add(issue: SkillIssue): void {
    if (this.#found.length >= MAX_ISSUES) {
      // What decides must not be lost behind what is only said.
      const harmless = isFatal(issue) && !this.hasErrors ? this.#found.findLastIndex((one) => !isFatal(one)) : -1;
      this.#beyond += 1;
      if (harmless === -1) return;
      this.#found.splice(harmless, 1);
    }
    const message =
      issue.message.length <= MAX_MESSAGE_CHARS ? issue.message : `${issue.message.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
    this.#found.push({ ...issue, message });
  }

  error(path: string, message: string, node?: string): void {
    this.add({ severity: 'error', path, message, ...(node === undefined ? {} : { node }) });
  }

  warn(path: string, message: string, node?: string): void {
    this.add({ severity: 'warning', path, message, ...(node === undefined ? {} : { node }) });
  }
}

/** Whether the issue keeps a skill from running. */
export function isFatal({ severity, atRunTime }: SkillIssue): boolean {
  return severity === 'error' && atRunTime === undefined;
}

/** A name in quotes: shortened, and without characters that could forge a line of a log. */
export function quote(name: string): string {
  const clean = name.replace(/[\p{Cc}\u2028\u2029]/gu, '?');
  return clean.length <= MAX_QUOTED_CHARS ? `"${clean}"` : `"${clean.slice(0, MAX_QUOTED_CHARS)}…"`;
}
