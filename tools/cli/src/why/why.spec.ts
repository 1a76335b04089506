import { expect, test } from '@jest/globals';
import { momentOf } from './why.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);

test.each([
  [undefined, NOW - 5000],
  ['90s', NOW - 90_000],
  ['1.5m ago', NOW - 90_000],
  ['10:14:03', Date.UTC(2026, 0, 31, 10, 14, 3)],
  ['10:14', Date.UTC(2026, 0, 31, 10, 14, 0)],
  ['2026-01-30T12:00:00Z', NOW - 86_400_000],
  [String(NOW), NOW],
])('--at %s', (text, timeMs) => {
  expect(momentOf(text, NOW)).toBe(timeMs);
});

test('what is no time is refused', () => {
  expect(() => momentOf('yesterday', NOW)).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
});
