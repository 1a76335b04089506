import type { ConfigProblem, PropertyUse } from './report.ts';
import type { ConfigEntry } from './text/entries.ts';

/** Where a problem is. */
export interface Place {
  readonly line: number;
  readonly key: string;
}

/** Collects what became of each property of one file, and what is wrong with it. */
export class Ledger {
  readonly problems: ConfigProblem[] = [];
  readonly #file: string;
  readonly #uses: { readonly use: PropertyUse; readonly order: number }[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  problem(severity: ConfigProblem['severity'], { line, key }: Place, message: string, about?: 'model-file'): void {
    this.problems.push({ severity, file: this.#file, line, key, message, ...(about ? { about } : {}) });
  }

  /** The property took part in the spec. */
  use(entry: ConfigEntry): void {
    this.#add(entry, undefined);
  }

  /** The property has no effect here. */
  leaveOut(entry: ConfigEntry, reason: string): void {
    this.#add(entry, reason);
  }

  /** The properties in the order of the file. */
  get properties(): readonly PropertyUse[] {
    return [...this.#uses].sort((a, b) => a.use.line - b.use.line || a.order - b.order).map(({ use }) => use);
  }

  #add({ group, key, value, line }: ConfigEntry, reason: string | undefined): void {
    const file = this.#file;
    const property = { group, key, value, line, file };
    const use: PropertyUse =
      reason === undefined ? { ...property, use: 'used' } : { ...property, use: 'not-used', reason };
    this.#uses.push({ use, order: this.#uses.length });
  }
}

/**
 * Of a property that is set twice in a group the last one counts, as in GLib; the others are reported and left out.
 *
 * @param sameAs the key that another key is a second name of: the two count as one
 */
export function lastOfEach(
  entries: readonly ConfigEntry[],
  ledger: Ledger,
  sameAs: ReadonlyMap<string, string> = new Map(),
): ConfigEntry[] {
  const nameOf = ({ group, key }: ConfigEntry): string => `${group}\n${sameAs.get(key) ?? key}`;
  const last = new Map(entries.map((entry) => [nameOf(entry), entry]));
  return entries.filter((entry) => {
    const counts = last.get(nameOf(entry));
    if (counts === undefined || counts === entry) return true;
    const what = counts.key === entry.key ? 'it is set again' : `'${counts.key}' sets the same value`;
    ledger.leaveOut(entry, `${what} on line ${counts.line}`);
    ledger.problem('warning', entry, `'${entry.key}': ${what} on line ${counts.line}, which counts`);
    return false;
  });
}
