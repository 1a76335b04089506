import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { VantageError } from '@vantage/contracts';
import { compileCondition, compileExpression } from './compiler.ts';
import { tokenize } from './lexer.ts';
import type { RoutedMessage } from './message.ts';
import { parseRouteText } from './route.ts';

const MESSAGE: RoutedMessage = {
  source: 'telemetry',
  deviceId: 'd',
  properties: { a: 'x', 'a+b': 'joined' },
  systemProperties: { contentType: 'application/json', contentEncoding: 'utf-8' },
  body: '{"n":3,"on":true,"date":"2017-03-09T00:00:00","list":[[1,2],{"k":"v"}],"nothing":null,"o":{}}',
};

describe('tokenize', () => {
  test.each([
    ['a+b', ['ID']],
    ['a + b', ['ID', '+', 'ID']],
    ['5+3', ['ID']],
    ['&&', ['ID']],
    ['-undefined', ['ID']],
    ['a=1', ['ID', '=', 'INTEGER']],
    ['a!=1', ['ID', '=', 'INTEGER']],
    ['e5', ['REAL']],
    ['0x1F 1e3 .5 -2', ['HEX', 'REAL', 'REAL', 'INTEGER']],
    ["'x'and", ['ID']],
    ['list[0]', ['QUERY_PATH']],
    ['/* FROM */ a', ['ID']],
    ['True', ['ID']],
    ['"a', ['UNTERMINATED_STRING']],
    ['{$a}', ['{', 'SYS_PROP', '}']],
    ['@', ['UNKNOWN']],
  ])('%s', (text, types) => {
    expect(tokenize(text).map((token) => token.type)).toEqual([...types, 'EOF']);
  });

  test('loses no character but blanks and comments', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        const tokens = tokenize(text);
        let at = 0;
        for (const { start, end, text: slice } of tokens) {
          expect(
            text
              .slice(at, start)
              .replace(/\/\*[^]*?\*\//g, '')
              .trim(),
          ).toBe('');
          expect(text.slice(start, end)).toBe(slice);
          at = end;
        }
      }),
    );
  });
});

describe('conditions', () => {
  test.each([
    ["NOT a = 'x'", 'CONDITION_TYPE'],
    ['a > 50', 'CONDITION_TYPE'],
    ['true AND $body.on', 'CONDITION_TYPE'],
    ['$body.on AND null', 'CONDITION_TYPE'],
    ['null AND undefined', 'CONDITION_TYPE'],
    ['not undefined', 'CONDITION_TYPE'],
    ['undefined = $body.n', 'CONDITION_TYPE'],
    ['$body.n = undefined', 'CONDITION_TYPE'],
    ['-$body.n = 3', 'CONDITION_TYPE'],
    ['$body.n % 2 = 1', 'CONDITION_TYPE'],
    ['$body. = 1', 'CONDITION_TYPE'],
    ['$body.5 = 1', 'CONDITION_TYPE'],
    ["twin_change_includes('a')", 'CONDITION_TYPE'],
    ['true true', 'ROUTE_SYNTAX'],
    ['(true', 'ROUTE_SYNTAX'],
    ['true)', 'ROUTE_SYNTAX'],
    ['a = "b', 'ROUTE_SYNTAX'],
    ['('.repeat(10_000), 'ROUTE_SYNTAX'],
  ])('%.40s is refused', (text, code) => {
    expect(() => compileCondition(text)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    ['$body.on AND true', true],
    ['$body.on OR null', undefined],
    ['null or $none = "a"', undefined],
    ['true and null', false],
    ['(true and null) = null', true],
    ['undefined = undefined', undefined],
    ['$body.list[0][1] = 2', true],
    ["$body.list[1].k = 'v'", true],
    ['$body.list[7] = null', true],
    ['is_defined($body.o)', false],
    ['is_defined($body.date)', false],
    ['is_null($body.n)', true],
    ['is_null($body.nothing)', true],
    ['is_null($body.missing)', false],
    ['$body.n < "a" AND $body.nothing > "z"', true],
    ['($body.missing ?? 3) = null', true],
    ['e5 = undefined', undefined],
    ["a+b = 'joined'", true],
    [`'\\u0041\\'' = "A'"`, true],
    ['0xFFFFFFFFFFFFFFFF = -1', true],
    ['7 - 2 - 1 = 4 AND 2 + 3 * 4 = 14', true],
    ["as_number(' (1,200.5) ') = -1200.5", true],
    ["as_number('5-') = -5 AND as_number('-Infinity') = -1 / 0", true],
    ["is_defined(as_number('0x10'))", false],
    ["upper('straße') = 'STRAßE'", true],
    ['power(1, 1 / 0) = 1', true],
    ['$connectionDeviceId = "d"', true],
    ['$connectionModuleId = "d"', undefined],
  ])('%s is %p', (text, expected) => {
    expect(compileCondition(text).evaluate(MESSAGE)).toBe(expected);
  });

  test('random conditions give a value or an error of ours, never another', () => {
    const word = fc.constantFrom(
      ...['a', '$a', '$body.n', '$body.on', "'s'", '3', 'true', 'null', 'undefined', '(', ')', ',', 'NOT', 'AND', 'OR'],
      ...['=', '<', '+', '%', '||', '??', '-', 'abs', 'concat', 'is_null', 'is_bool', 'substring', '{$a}', '@', '"'],
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          expect([true, false, undefined]).toContain(compileCondition(words.join(' ')).evaluate(MESSAGE));
        } catch (error) {
          if (!VantageError.is(error)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('numbers print and read back the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }), (value) => {
        expect(compileExpression(value.toExponential())(MESSAGE)).toBe(value);
      }),
    );
  });
});

describe('routes', () => {
  test('the condition is kept verbatim', () => {
    expect(parseRouteText("from /messages  where  a  =  'x' /* why */ and true  into $Upstream")).toEqual({
      source: '/messages/',
      condition: "a  =  'x' /* why */ and true",
      sink: { type: 'system', name: '$Upstream' },
    });
  });

  test.each(['', 'FROM messages INTO $upstream', 'FROM /messages WHERE INTO $upstream', 'FROM /* INTO $upstream x'])(
    '%j is refused',
    (text) => {
      expect(() => parseRouteText(text)).toThrow(expect.objectContaining({ code: 'ROUTE_SYNTAX' }));
    },
  );
});
