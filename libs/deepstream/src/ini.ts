import type { ConfigProblem } from './spec.ts';

/** A property as it stands in the file. */
export interface IniEntry {
  readonly section: string;
  readonly key: string;
  /** Without the space around it; lists keep their `;`. */
  readonly value: string;
  /** One-based. */
  readonly line: number;
}

export interface IniFile {
  /** All properties in the order of the file, duplicates included. */
  readonly entries: readonly IniEntry[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the INI dialect of DeepStream, which is GLib's key file: `[group]`, `key=value`, `#` at the start of a line
 * for comments, lists with `;`, no quoting. A byte order mark, CRLF, empty lines and a missing newline at the end are
 * no fault. Beyond GLib, which gives up at the first bad line, every bad line is reported and the rest is read; a
 * comment after a value is cut off and reported.
 */
export function readIni(text: string): IniFile {
  const entries: IniEntry[] = [];
  const problems: ConfigProblem[] = [];
  const report = (severity: ConfigProblem['severity'], line: number, key: string, message: string): void => {
    problems.push({ severity, line, key, message });
  };
  const opened = new Map<string, number>();
  let section: string | undefined;

  text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .forEach((raw, index) => {
      const line = index + 1;
      const content = raw.trim();
      if (content === '' || content.startsWith('#')) return;
      if (content.startsWith(';')) {
        report('warning', line, '', `a line that starts with ';' is no comment in DeepStream; write '#': ${content}`);
        return;
      }
      const header = /^\[([^[\]]+)\]\s*(#.*)?$/.exec(content);
      if (header?.[1] !== undefined) {
        section = header[1].trim();
        const before = opened.get(section);
        if (before !== undefined) report('warning', line, '', `[${section}] was opened before, on line ${before}`);
        opened.set(section, before ?? line);
        return;
      }
      const equals = content.indexOf('=');
      if (equals <= 0) {
        report('error', line, '', `neither a section, a property nor a comment: ${shorten(content)}`);
        return;
      }
      const key = content.slice(0, equals).trim();
      if (section === undefined) {
        report('error', line, key, `'${key}' stands before the first section`);
        return;
      }
      const value = content.slice(equals + 1).trim();
      const comment = /\s+#.*$/.exec(value);
      if (comment)
        report('warning', line, key, `the comment after the value is left out: ${shorten(comment[0].trim())}`);
      entries.push({ section, key, value: comment ? value.slice(0, comment.index) : value, line });
    });
  return { entries, problems };
}

/** The items of a `;` list; a `;` at the end adds none. */
export function listItems(value: string): string[] {
  const items = value.split(';').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  return items;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
