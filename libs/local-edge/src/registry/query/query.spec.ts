import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BinaryOperator, Expression } from './ast.ts';
import { evaluate, matches } from './evaluate.ts';
import { parseCondition, parseQuery } from './parser.ts';
import { runQuery, type Row } from './run.ts';

const TWIN = {
  deviceId: 'cam-1',
  status: 'enabled',
  capabilities: { iotEdge: true },
  tags: { site: 'north', floor: 3, '5g': true, 'my tag': 'x', list: [1, 2], nested: { a: 1 } },
  properties: {
    desired: { fps: 5, $version: 4 },
    reported: { fps: 5, temp: -2.5, $version: 4, $metadata: { $lastUpdated: '2026-01-02T00:00:00Z' } },
  },
  configurations: { 'base-1': { status: 'Applied' } },
};

const truth: readonly (readonly [condition: string, expected: boolean | undefined])[] = [
  ["deviceId = 'cam-1'", true],
  ['devices.deviceId = "cam-1"', true],
  ["tags.site != 'south'", true],
  ["tags.site <> 'north'", false],
  ['tags.floor > 2 AND tags.floor <= 3', true],
  ['tags.floor = 3.0', true],
  ["tags.floor = '3'", undefined],
  ["tags.missing = 'a'", undefined],
  ["tags.missing != 'a'", undefined],
  ["NOT tags.missing = 'a'", undefined],
  ["tags.missing = 'a' OR tags.site = 'north'", true],
  ["tags.missing = 'a' AND tags.site = 'south'", false],
  ["NOT tags.site = 'north' OR tags.floor = 3", true],
  ["NOT (tags.site = 'north' OR tags.floor = 3)", false],
  ["tags.site IN ['south', 'north']", true],
  ["tags.site in ('south')", false],
  ["tags.site NIN ['south']", true],
  ["tags.site NOT IN ['north']", false],
  ["tags.missing NIN ['a']", undefined],
  ['tags.5g = true', true],
  ['tags.5g', true],
  ["tags.[[my tag]] = 'x'", true],
  ["tags[[my tag]] = 'x' and tags['my tag'] = 'x'", true],
  ["configurations.[[base-1]].status = 'Applied'", true],
  ['properties.desired.$version = properties.reported.$version', true],
  ["properties.reported.$metadata.$lastUpdated >= '2026-01-01'", true],
  ['properties.reported.temp < -2', true],
  ['properties.reported.temp = -2.5', true],
  ['tags.floor * 2 + 1 = 7', true],
  ['tags.floor / 0 > 1', undefined],
  ['capabilities.iotEdge = TRUE', true],
  ['is_defined(tags.site) AND NOT is_defined(tags.none)', true],
  ['is_null(tags.none)', false],
  ['is_bool(tags.5g) and is_number(tags.floor) and is_string(tags.site)', true],
  ['is_array(tags.list) and is_object(tags.nested) and not is_object(tags.list)', true],
  ["startswith(deviceId, 'cam') AND endswith(deviceId, '1') AND contains(deviceId, 'm-')", true],
  ["startswith(tags.floor, 'a')", undefined],
  ['is_defined(tags.constructor) OR is_defined(tags.__proto__)', false],
  ['3 IN [[[none]], [[tags]].floor]', true],
  ["'it''s' = 'it\\'s'", true],
];

describe('conditions', () => {
  test.each(truth)('%s is %s', (condition, expected) => {
    expect(evaluate(parseCondition(condition, 'devices'), TWIN)).toBe(expected);
  });

  test.each([
    ['tags.site =', 12, 'not the end'],
    ["tags.site = 'a", 13, 'has no end'],
    ["tags.site == 'a'", 12, 'not ='],
    ['tags.', 6, 'after the dot'],
    ['tags.[[a', 6, 'has no end'],
    ['foo(tags.a)', 1, 'unknown function foo'],
    ['is_defined(a, b)', 1, 'takes 1 arguments, not 2'],
    ["a = 'x' b", 9, 'unexpected b'],
    ['a IN 3', 6, 'a list'],
    ['(a = 1', 7, ') expected'],
    ['a = 1 # 2', 7, 'unexpected character #'],
    [`${'('.repeat(80)}a`, 65, 'nested deeper'],
    ['a'.repeat(9000), 8193, 'longer than'],
  ])('%.40s is refused at column %d', (condition, column, reason) => {
    expect(() => parseCondition(condition, 'devices')).toThrow(
      expect.objectContaining({
        code: 'EDGE_QUERY_INVALID',
        details: { column },
        message: expect.stringContaining(reason) as unknown,
      }),
    );
  });

  test('a written expression reads as it was meant', () => {
    const leaf = fc.oneof(
      fc.constantFrom<Expression>(
        { kind: 'path', path: ['tags', 'floor'] },
        { kind: 'path', path: ['tags', 'my tag'] },
        { kind: 'path', path: ['none'] },
      ),
      fc
        .oneof(fc.integer({ min: 0, max: 9 }), fc.boolean(), fc.string({ maxLength: 6 }), fc.constant(null))
        .map((value): Expression => ({ kind: 'literal', value })),
    );
    const { tree } = fc.letrec<{ tree: Expression }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        tie('tree').map((operand): Expression => ({ kind: 'not', operand })),
        fc
          .tuple(
            fc.constantFrom<BinaryOperator[]>('and', 'or', '=', '!=', '<', '>=', '+', '*'),
            tie('tree'),
            tie('tree'),
          )
          .map(([operator, left, right]): Expression => ({ kind: 'binary', operator, left, right })),
        fc
          .tuple(tie('tree'), fc.array(tie('tree'), { maxLength: 3 }), fc.boolean())
          .map(([operand, list, negated]): Expression => ({ kind: 'in', operand, list, negated })),
      ),
    }));
    fc.assert(
      fc.property(tree, (expression) => {
        expect(parseCondition(write(expression), 'devices')).toEqual(expression);
      }),
    );
  });

  test('any text is read or refused with a column, never more', () => {
    const part = fc.constantFrom(
      'SELECT',
      '*',
      'FROM',
      'devices',
      'WHERE',
      'tags.a',
      '=',
      "'",
      '(',
      ')',
      '[[',
      ']]',
      ',',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join(' ')),
        ),
        (text) => {
          try {
            parseQuery(text);
          } catch (error) {
            expect(error).toMatchObject({
              code: 'EDGE_QUERY_INVALID',
              details: { column: expect.any(Number) as unknown },
            });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** An expression as text, every part in brackets. */
function write(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return JSON.stringify(expression.value);
    case 'path':
      return expression.path.map((name) => `[[${name}]]`).join('.');
    case 'not':
      return `(NOT (${write(expression.operand)}))`;
    case 'in':
      return `(${write(expression.operand)} ${expression.negated ? 'NIN' : 'IN'} (${expression.list.map(write).join(', ')}))`;
    case 'binary':
      return `(${write(expression.left)} ${expression.operator} ${write(expression.right)})`;
    case 'negate':
    case 'call':
      throw new Error(expression.kind);
  }
}

const ROWS: Row[] = Array.from({ length: 10 }, (_, at) => ({
  key: `d${at}`,
  document: () => ({ deviceId: `d${at}`, tags: { site: at % 3 === 0 ? 'a' : 'b', ...(at > 1 ? { n: at } : {}) } }),
}));
const all = (text: string, pageSize?: number): readonly unknown[] => runQuery(parseQuery(text), ROWS, pageSize).items;

describe('queries', () => {
  test('select, rename, count and group', () => {
    expect(all("SELECT deviceId, tags.n AS n FROM devices WHERE deviceId = 'd1' OR deviceId = 'd2'")).toEqual([
      { deviceId: 'd1' },
      { deviceId: 'd2', n: 2 },
    ]);
    expect(all('select count() as total from devices')).toEqual([{ total: 10 }]);
    expect(all("SELECT COUNT() FROM devices WHERE tags.site = 'none'")).toEqual([{ $1: 0 }]);
    expect(all('SELECT tags.site, COUNT() AS n, MAX(tags.n) AS most FROM devices GROUP BY tags.site')).toEqual([
      { site: 'a', n: 4, most: 9 },
      { site: 'b', n: 6, most: 8 },
    ]);
    expect(all('SELECT SUM(tags.n) AS s, AVG(tags.n) AS a, MIN(tags.n) AS m, COUNT(tags.n) AS c FROM devices')).toEqual(
      [{ s: 44, a: 5.5, m: 2, c: 8 }],
    );
    expect(all('SELECT TOP 2 deviceId FROM devices')).toHaveLength(2);
  });

  test.each([
    ['SELECT * FROM things', 15],
    ['SELECT * FROM devices ORDER BY deviceId', 23],
    ['SELECT FROM devices', 8],
    ['SELECT deviceId, COUNT() FROM devices', 38],
    ['SELECT TOP 0 * FROM devices', 12],
    ['DELETE FROM devices', 1],
    ['SELECT SUM() FROM devices', 8],
  ])('%s is refused', (text, column) => {
    expect(() => parseQuery(text)).toThrow(expect.objectContaining({ details: { column } }));
  });

  test.each([
    'SELECT * FROM devices',
    'SELECT deviceId FROM devices',
    'SELECT TOP 7 deviceId FROM devices',
    'SELECT deviceId, COUNT() AS n FROM devices GROUP BY deviceId',
  ])('pages of %s hold each result once', (text) => {
    const query = parseQuery(text);
    const whole = runQuery(query, ROWS).items;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), (pageSize) => {
        const items: unknown[] = [];
        let token: string | undefined;
        let pages = 0;
        do {
          const page = runQuery(query, ROWS, pageSize, token);
          items.push(...page.items);
          token = page.continuation;
          pages += 1;
        } while (token !== undefined);
        expect(items).toEqual(whole);
        expect(pages).toBe(Math.ceil(whole.length / pageSize));
      }),
    );
  });

  test('rows that vanish between two pages shift nothing', () => {
    const query = parseQuery('SELECT deviceId FROM devices');
    const first = runQuery(query, ROWS, 3);
    const second = runQuery(query, ROWS.slice(2), 3, first.continuation);
    expect(second.items).toEqual([{ deviceId: 'd3' }, { deviceId: 'd4' }, { deviceId: 'd5' }]);
  });

  test('a continuation is refused by another query', () => {
    const { continuation } = runQuery(parseQuery('SELECT * FROM devices'), ROWS, 3);
    expect(() => runQuery(parseQuery('SELECT deviceId FROM devices'), ROWS, 3, continuation)).toThrow('another query');
    expect(() => runQuery(parseQuery('SELECT * FROM devices'), ROWS, 3, 'x')).toThrow('not a token');
  });

  test('matches is true for true alone', () => {
    expect(matches(parseCondition("'a'", 'devices'), {})).toBe(false);
  });
});
