import type { ConfigProblem } from '../report.ts';
import { MAX_ENTRIES, linesOf, shorten, unreadable, type ConfigEntry, type ConfigText } from './entries.ts';

/**
 * Reads the INI dialect of DeepStream, which is GLib's key file: `[group]`, `key=value`, `#` at the start of a line
 * for comments, lists with `;`, no quoting. A byte order mark, CRLF, empty lines and a missing newline at the end are
 * no fault. Beyond GLib, which gives up at the first bad line, every bad line is reported and the rest is read; a
 * comment after a value is cut off and reported.
 *
 * @param file for messages only
 */
export function readIni(text: string, file: string): ConfigText {
  const entries: ConfigEntry[] = [];
  const groups: { name: string; line: number }[] = [];
  const problems: ConfigProblem[] = [];
  const report = (severity: ConfigProblem['severity'], line: number, key: string, message: string): void => {
    problems.push({ severity, file, line, key, message });
  };
  const refused = unreadable(text);
  if (refused !== undefined) {
    report('error', 0, '', refused);
    return { entries, groups, problems };
  }
  const opened = new Map<string, number>();
  let group: string | undefined;

  for (const [index, raw] of linesOf(text).entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    if (entries.length + problems.length >= MAX_ENTRIES) {
      report('error', line, '', `more than ${MAX_ENTRIES} properties; the rest is not read`);
      break;
    }
    if (content.startsWith(';')) {
      const what = shorten(content);
      report('warning', line, '', `a line that starts with ';' is no comment in DeepStream; write '#': ${what}`);
      continue;
    }
    const header = /^\[([^[\]]+)\]\s*(#.*)?$/.exec(content);
    if (header?.[1] !== undefined) {
      group = header[1].trim();
      const before = opened.get(group);
      if (before === undefined) groups.push({ name: group, line });
      else report('warning', line, '', `[${group}] was opened before, on line ${before}; the two are joined`);
      opened.set(group, before ?? line);
      continue;
    }
    const equals = content.indexOf('=');
    if (equals <= 0) {
      report('error', line, '', `neither a section, a property nor a comment: ${shorten(content)}`);
      continue;
    }
    const key = content.slice(0, equals).trim();
    const [value, comment] = splitComment(content.slice(equals + 1).trim());
    if (group === undefined) report('error', line, key, `'${shorten(key)}' stands before the first section`);
    if (comment !== '') report('warning', line, key, `the comment after the value is left out: ${shorten(comment)}`);
    entries.push({ group: group ?? '', key, value, line });
  }
  return { entries, groups, problems };
}

/** A `#` after white space starts a comment; by hand, because a pattern is slow on a line of many spaces. */
function splitComment(value: string): [value: string, comment: string] {
  for (let at = value.indexOf('#'); at >= 0; at = value.indexOf('#', at + 1)) {
    if (at > 0 && /\s/.test(value.charAt(at - 1))) return [value.slice(0, at).trimEnd(), value.slice(at)];
  }
  return [value, ''];
}
