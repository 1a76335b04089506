import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { VantageError } from '@vantage/contracts';
import { type RoutedMessage, checkCondition, checkRoute, compileCondition, compileExpression } from '../src/index.ts';

const MESSAGE: RoutedMessage = {
  source: 'telemetry',
  deviceId: 'd',
  properties: { Temp: '21.5' },
  systemProperties: { contentType: 'application/json', contentEncoding: 'utf-8' },
  body: '{"n":3}',
};

describe('whatever is written', () => {
  const mistakeOf = (action: () => unknown): VantageError | undefined => {
    try {
      action();
      return undefined;
    } catch (error) {
      if (!VantageError.is(error)) throw error;
      return error;
    }
  };

  test('any text is a condition, or a mistake with a column inside it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const error = mistakeOf(() => compileCondition(text).evaluate(MESSAGE));
        if (error === undefined) return;
        const column = error.details['column'] as number;
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual(text.length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test('any condition keeps its meaning inside a route', () => {
    const conditions = fc.constantFrom("Temp = '21.5'", '$body.n > 3', 'as_number(Temp) > 3', "Temp || 'a' = 'b'", '3');
    fc.assert(
      fc.property(conditions, conditions, (a, b) => {
        const text = `(${a}) = (${b})`;
        const alone = checkCondition(text);
        const routed = checkRoute(`FROM /* WHERE ${text} INTO $upstream`);
        expect(routed.condition?.evaluate(MESSAGE)).toBe(alone.condition?.evaluate(MESSAGE));
        expect(routed.mistakes.map(({ column }) => column - 14)).toEqual(alone.mistakes.map(({ column }) => column));
      }),
    );
  });

  test('any message has an answer', () => {
    const condition = compileCondition("$body.a[0].b = 1 OR as_number(x) > 3 OR substring(x, as_number(y)) = 'a'");
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('x', 'y'), fc.option(fc.string())),
        fc.oneof(fc.json(), fc.uint8Array(), fc.string()),
        fc.constantFrom('utf-8', 'utf-16', 'utf-32'),
        (properties, body, contentEncoding) => {
          const systemProperties = { contentType: 'application/json', contentEncoding };
          const answer = condition.evaluate({ ...MESSAGE, properties, body, systemProperties });
          expect([true, false, undefined]).toContain(answer);
        },
      ),
    );
  });

  test.each([
    ['nested parentheses', '('.repeat(16_000)],
    ['not', 'not '.repeat(8000)],
    ['operators', `1${' + 1'.repeat(8000)} = 1`],
    ['minuses', '- '.repeat(16_000)],
    ['calls', 'abs('.repeat(8000)],
    ['comments that never end', '/* '.repeat(10_000)],
    ['quotes', `'\\x`.repeat(10_000)],
    ['names', 'a'.repeat(1_000_000)],
  ])('%s without end are refused in no time', (_, text) => {
    // Time of the processor, not of the clock: others may be using the machine.
    const before = process.cpuUsage();
    expect(checkCondition(text).mistakes).toMatchObject([{ code: 'ROUTE_SYNTAX' }]);
    expect(checkRoute(`FROM /* WHERE ${text} INTO $upstream`).mistakes).toHaveLength(1);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  });

  test('a long condition that is well formed is one', () => {
    const text = Array.from({ length: 900 }, (_, i) => `a${i} = 'x'`).join(' OR ');
    expect(compileCondition(text).evaluate(MESSAGE)).toBeUndefined();
    expect(compileExpression(`1${' + 1'.repeat(1999)}`)(MESSAGE)).toBe(2000);
  });
});
