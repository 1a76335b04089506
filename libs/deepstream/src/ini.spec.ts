import { describe, expect, test } from '@jest/globals';
import { listItems, readIni } from './ini.ts';
import { detectConfigKind } from './kind.ts';
import { parseLabels } from './labels.ts';

describe('readIni', () => {
  test.each([
    ['nothing', ''],
    ['a byte order mark', '\uFEFF'],
    ['comments', '# a\n  # b\r\n\r\n'],
    ['an empty section', '[property]'],
  ])('%s holds no properties', (_name, text) => {
    expect(readIni(text)).toEqual({ entries: [], problems: [] });
  });

  test('keeps order, lines, repeats and lists; no newline at the end', () => {
    const { entries, problems } = readIni('\uFEFF[property]\r\n# c\r\n a = 1;2;3 \r\na=x=y\r\n[class-attrs-3]\r\nb=');
    expect(problems).toEqual([]);
    expect(entries).toEqual([
      { section: 'property', key: 'a', value: '1;2;3', line: 3 },
      { section: 'property', key: 'a', value: 'x=y', line: 4 },
      { section: 'class-attrs-3', key: 'b', value: '', line: 6 },
    ]);
  });

  test('reports each bad line and reads on', () => {
    const { entries, problems } = readIni(
      'a=1\n[property]\nnonsense\n;b=2\n=3\nc=4 # why\n[property]\nd=/a#b\n[broken\n',
    );
    expect(entries.map(({ key, value }) => [key, value])).toEqual([
      ['c', '4'],
      ['d', '/a#b'],
    ]);
    expect(problems.map(({ severity, line }) => [severity, line])).toEqual([
      ['error', 1],
      ['error', 3],
      ['warning', 4],
      ['error', 5],
      ['warning', 6],
      ['warning', 7],
      ['error', 9],
    ]);
  });

  test('list items', () => {
    expect(listItems('')).toEqual([]);
    expect(listItems('a; b ;')).toEqual(['a', 'b']);
    expect(listItems('a;;b')).toEqual(['a', '', 'b']);
  });
});

test.each([
  ['', 'nvinferserver'],
  ['# only a comment', 'nvinferserver'],
  ['\uFEFF# c\r\n[property]\r\na=1', 'nvinfer-ini'],
  ['a=1\n[property]\n', 'nvinfer-ini'],
  ['infer_config {\n  unique_id: 1\n}', 'nvinferserver'],
  ['property:\n  gpu-id: 0', 'nvinfer-yaml'],
  ['---\nx: 1', 'nvinfer-yaml'],
])('%j is %s', (text, kind) => {
  expect(detectConfigKind(text)).toBe(kind);
});

describe('parseLabels', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['person', ['person']],
    ['\uFEFFperson\r\n\r\ncar\r\n', ['person', 'car']],
    ['person;car;bag;', ['person', 'car', 'bag']],
    ['red;blue\nbig;small', ['red', 'big']],
    [' traffic light \nstop sign', ['traffic light', 'stop sign']],
  ])('%j', (text, labels) => {
    expect(parseLabels(text, 'labels.txt').labels).toEqual(labels);
  });

  test('says when there are fewer or more labels than classes', () => {
    expect(parseLabels('a\nb', 'l.txt', 2).problems).toEqual([]);
    expect(parseLabels('a\nb', 'l.txt', 4).problems[0]?.message).toBe(
      'l.txt has 2 labels for 4 classes; those without are called class-2, class-3, ...',
    );
    expect(parseLabels('a\nb', 'l.txt', 1).problems[0]?.message).toMatch(/the last are not used/);
    expect(parseLabels('', 'l.txt').problems[0]?.message).toMatch(/holds no labels/);
  });

  test('keeps the rows of classifiers', () => {
    expect(parseLabels('red;blue\nbig;small', 'l.txt').rows).toEqual([
      ['red', 'blue'],
      ['big', 'small'],
    ]);
  });
});
