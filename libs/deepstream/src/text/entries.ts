import type { ConfigProblem } from '../report.ts';

/** A property as it stands in a file, whatever the file is written in. */
export interface ConfigEntry {
  /** `[group]` of an INI file; the path of the mapping (`a.b`) in YAML. Empty before the first group. */
  readonly group: string;
  readonly key: string;
  /** Without the space or the quotes around it. Lists are joined by `;`, as INI writes them. */
  readonly value: string;
  /** One-based. */
  readonly line: number;
}

/** A file read as far as its syntax goes. */
export interface ConfigText {
  /** All properties in the order of the file, duplicates included. */
  readonly entries: readonly ConfigEntry[];
  /** Every group that is opened, those without properties too. */
  readonly groups: readonly { readonly name: string; readonly line: number }[];
  readonly problems: readonly ConfigProblem[];
}

/** Longest text that is read, in UTF-16 units: configurations are written by people, the longest known one has 11 K. */
export const MAX_TEXT_LENGTH = 256 * 1024;
/** Most properties of one file; the largest known one has 110. */
export const MAX_ENTRIES = 5000;
/** Deepest nesting of YAML and protobuf text; DeepStream's own files need 7. */
export const MAX_DEPTH = 32;

/** Why a text is not even looked at, or undefined. */
export function unreadable(text: string): string | undefined {
  if (text.length > MAX_TEXT_LENGTH) {
    return `${text.length} characters are too many for a configuration file (at most ${MAX_TEXT_LENGTH})`;
  }
  return text.includes('\0') ? 'it holds NUL characters: it is binary, or text that is not UTF-8' : undefined;
}

/** The text as lines, without a byte order mark. */
export function linesOf(text: string): string[] {
  return text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
}

/** For messages: a piece of a file, never the whole of a long line. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

/** The items of a `;` list; a `;` at the end adds none. */
export function listItems(value: string): string[] {
  const items = value.split(';').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  return items;
}
