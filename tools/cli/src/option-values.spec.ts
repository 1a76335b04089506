import { expect, test } from '@jest/globals';
import { number, pair, port, seconds, wholeNumber } from './option-values.ts';

test.each([
  [() => port('0'), 0],
  [() => port('65535'), 65_535],
  [() => seconds('90'), 90],
  [() => seconds('90s'), 90],
  [() => seconds('1.5m'), 90],
  [() => seconds('2h'), 7200],
  [() => number(0, 1)('0.25'), 0.25],
  [() => wholeNumber(1)('12'), 12],
  [() => pair('a=b=c', { x: 'y' }), { x: 'y', a: 'b=c' }],
])('%s', (read, value) => {
  expect(read()).toEqual(value);
});

test.each([
  ['a port', () => port('65536'), 'It is a port, 0 to 65535.'],
  ['a port', () => port(''), 'It is a port, 0 to 65535.'],
  ['a time', () => seconds('soon'), 'It is a number of seconds, or a time such as 90s, 5m or 1h.'],
  ['a time that no timer takes', () => seconds('9999h'), 'It is a number of seconds, or a time such as 90s, 5m or 1h.'],
  ['no time at all', () => seconds('0'), 'It is a number of seconds, or a time such as 90s, 5m or 1h.'],
  ['a number', () => number(0, 1)('abc'), 'It is a number from 0 to 1.'],
  ['nothing', () => number(0, 1)(' '), 'It is a number from 0 to 1.'],
  ['a whole number', () => wholeNumber(1)('1.5'), 'It is a whole number from 1 on.'],
  ['a pair', () => pair('=b'), 'It is of the form name=value.'],
])('%s that is none is refused', (_what, read, message) => {
  expect(read).toThrow(expect.objectContaining({ code: 'commander.invalidArgument', message }));
});
