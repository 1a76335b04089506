import { describe, expect, test } from '@jest/globals';
import { listItems } from './entries.ts';
import { readIni } from './ini.ts';

describe('readIni', () => {
  test.each([
    ['nothing', ''],
    ['a byte order mark', '\uFEFF'],
    ['comments', '# a\n  # b\r\n\r\n'],
    ['an empty section', '[property]'],
  ])('%s holds no properties', (_name, text) => {
    expect(readIni(text, 'a.txt')).toMatchObject({ entries: [], problems: [] });
  });

  test('keeps order, lines, repeats and lists; no newline at the end', () => {
    const { entries, problems } = readIni(
      '\uFEFF[property]\r\n# c\r\n a = 1;2;3 \r\na=x=y\r\n[class-attrs-3]\r\nb=',
      'a.txt',
    );
    expect(problems).toEqual([]);
    expect(entries).toEqual([
      { group: 'property', key: 'a', value: '1;2;3', line: 3 },
      { group: 'property', key: 'a', value: 'x=y', line: 4 },
      { group: 'class-attrs-3', key: 'b', value: '', line: 6 },
    ]);
  });

  test('reports each bad line and reads on', () => {
    const { entries, problems } = readIni(
      'a=1\n[property]\nnonsense\n;b=2\n=3\nc=4 # why\n[property]\nd=/a#b\n[broken\n',
      'a.txt',
    );
    expect(entries.map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
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
