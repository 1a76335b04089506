import { describe, expect, test } from '@jest/globals';
import { parseLabels } from './labels.ts';

describe('parseLabels', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['person', ['person']],
    ['\uFEFFperson\r\n\r\ncar\r\n', ['person', 'car']],
    ['person;car;bag;', ['person', 'car', 'bag']],
    ['red;blue\nbig;small', ['red', 'big']],
    ['0,tench, Tinca tinca\n1,goldfish', ['tench, Tinca tinca', 'goldfish']],
    ['0: tench\n1: goldfish', ['tench', 'goldfish']],
    ['1,tench\n0,goldfish', ['1,tench', '0,goldfish']],
    ['0\n1\n2', ['0', '1', '2']],
    ['0123456789:;<=>? @ABCDE'.split('').join('\n'), '0123456789:;<=>? @ABCDE'.split('')],
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
