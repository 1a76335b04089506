import { describe, expect, test } from '@jest/globals';
import { VantageError, codeOf, messageOf } from './errors.ts';

describe('VantageError', () => {
  test('carries a stable code, safe details and its cause', () => {
    const cause = new Error('connect ECONNREFUSED');
    const error = new VantageError('HUB_UNREACHABLE', 'the edge hub does not answer', {
      cause,
      details: { port: 8883 },
    });
    expect(error).toMatchObject({ code: 'HUB_UNREACHABLE', details: { port: 8883 }, cause });
    expect(VantageError.is(error)).toBe(true);
    expect(VantageError.is(cause)).toBe(false);
  });

  test.each([
    [new Error('a'), 'a', undefined],
    [Object.assign(new Error('b'), { code: 'ENOENT' }), 'b', 'ENOENT'],
    ['c', 'c', undefined],
    [undefined, 'undefined', undefined],
    [{ code: 7 }, '{"code":7}', undefined],
  ])('reads message and code of %p', (thrown, message, code) => {
    expect(messageOf(thrown)).toBe(message);
    expect(codeOf(thrown)).toBe(code);
  });
});
