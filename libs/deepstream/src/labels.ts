import type { ConfigProblem } from './report.ts';

export interface Labels {
  /** By class id. */
  readonly labels: readonly string[];
  /** Every line split at `;`: classifiers with several outputs have a line for each. */
  readonly rows: readonly (readonly string[])[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads an nvinfer label file: a label a line (of `a;b` the first counts), or all on one line with `;` between them.
 * Empty lines do not count, as in nvinfer. Two kinds of files that nvinfer does not know: the numbers of `0,tench` are
 * taken off, and the lines of an alphabet (one character each, for text recognition) are taken as they are, because a
 * space and a `;` are characters.
 *
 * @param classCount `num-detected-classes`: a file with fewer or more labels is reported, and used all the same
 */
export function parseLabels(text: string, fileName: string, classCount?: number): Labels {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const rows = alphabetOf(lines)?.map((character) => [character]) ?? rowsOf(lines);
  const [only] = rows;
  const labels = rows.length === 1 && only !== undefined && only.length > 1 ? only : rows.map((row) => row[0] ?? '');
  const problems: ConfigProblem[] = [];
  const report = (message: string): void => {
    problems.push({ severity: 'warning', file: fileName, line: 0, key: 'labelfile-path', message });
  };
  if (labels.length === 0) report(`${fileName} holds no labels; classes are called class-0, class-1, ...`);
  else if (classCount !== undefined && labels.length < classCount) {
    report(
      `${fileName} has ${labels.length} labels for ${classCount} classes; those without are called ` +
        `class-${labels.length}${classCount - labels.length > 1 ? `, class-${labels.length + 1}, ...` : ''}`,
    );
  } else if (classCount !== undefined && labels.length > classCount) {
    report(`${fileName} has ${labels.length} labels for ${classCount} classes; the last are not used`);
  }
  return { labels, rows, problems };
}

/** So many lines of one character each are no names of classes. */
const SHORTEST_ALPHABET = 20;

function alphabetOf(lines: readonly string[]): readonly string[] | undefined {
  const characters = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  const isAlphabet = characters.length >= SHORTEST_ALPHABET && characters.every((line) => [...line].length === 1);
  return isAlphabet ? characters : undefined;
}

function rowsOf(lines: readonly string[]): string[][] {
  const used = lines.map((line) => line.trim()).filter((line) => line !== '');
  const numbered = used.map((line) => /^(\d+)\s*[,:]\s*(\S.*)$/.exec(line));
  const areNumbers = numbered.length > 1 && numbered.every((found, at) => Number(found?.[1]) === at);
  return used.map((line, at) => {
    const items = (areNumbers ? (numbered[at]?.[2] ?? line) : line).split(';').map((item) => item.trim());
    if (items.length > 1 && items.at(-1) === '') items.pop();
    return items;
  });
}
