import { describe, expect, test } from '@jest/globals';
import { inWords, parseDuration } from './duration.ts';

describe('a duration', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
  ])('%s', (text, ms) => expect(parseDuration(text, '--for')).toBe(ms));

  test('with a sign or without a unit only where that means something', () => {
    expect(parseDuration('-1h', 'the offset', { signed: true })).toBe(-3_600_000);
    expect(parseDuration('+250', 'the offset', { signed: true, bare: true })).toBe(250);
    expect(() => parseDuration('-1h', '--for')).toThrow('--for is a time such as 500ms, 30s, 5m, 1h, not "-1h"');
    expect(() => parseDuration('250', '--for')).toThrow('not "250"');
  });

  test.each(['', 's', '1 h', '1d', '1e3s', '0x10s', 'constructor', '1toString'])('%j is none', (text) => {
    expect(() => parseDuration(text, '--for', { bare: true, signed: true })).toThrow('--for is a time such as');
  });

  test.each([
    [400, '0 s'],
    [119_000, '119 s'],
    [121_000, '2 min'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
  ])('%d ms in words: %s', (ms, text) => expect(inWords(ms)).toBe(text));
});
