import { describe, expect, test } from '@jest/globals';
import {
  type RoutedMessage,
  checkCondition,
  checkRoute,
  compileCondition,
  parseRoute,
  sourceMatches,
} from '../src/index.ts';

/** Rules of edgeHub's sources that the recorded cases leave open; each row is one sentence of the contract, B.1 to B.3. */
const BODY = {
  n: 3,
  text: 'abc',
  on: true,
  off: false,
  nothing: null,
  list: [1, [2], { k: 'v' }],
  o: { only: 7 },
  several: { a: 1, b: 2 },
  Case: 'upper',
  'a-b+c%1!': 'odd',
  $cash: 'money',
  utc: '2017-03-09T00:00:00z',
  zoned: '2017-03-09T00:00:00.1234567+0100',
  midnight: '2017-03-09T24:00:00',
  never: '2017-03-09T24:00:01',
  fine: '2017-03-09T00:00:00.12345678',
  leap: '1900-02-29T00:00:00',
  day: '2017-03-09',
  ticks: '/Date(1234567890+0100)/',
  emoji: 'a😀',
};

const MESSAGE: RoutedMessage = {
  source: 'telemetry',
  deviceId: 'd',
  moduleId: 'm',
  output: 'o',
  properties: { Temp: '21.5', empty: '', none: null, $where: 'app', '$body.shadow': '9', '50': 'fifty', 'a!': '1' },
  systemProperties: { contentType: 'Application/JSON', contentEncoding: 'UTF-8', where: 'system', blank: null },
  body: JSON.stringify(BODY),
};

function evaluate(condition: string, change: Partial<RoutedMessage> = {}): boolean | undefined {
  return compileCondition(condition).evaluate({ ...MESSAGE, ...change });
}

describe('lexer', () => {
  test.each([
    ["a!='1'", true], // the name is `a!`
    ['3 > 2', true],
    ['3>2', true],
    ['(1)=1', true],
    ['- 3 < 0', true],
    ['-3 < 0', true],
    ['.5 = 0.5 AND -.5e1 = -5 AND 1E+2 = 100', true],
    ['0XfF = 255 AND 0x10 = 16', true],
    ['0xFFFFFFFFFFFFFFFFF = undefined', undefined], // more than 64 bits are no number
    ['1e999 = 1 / 0', true],
    ['true And true anD NOT false', true],
    [`"it's" = 'it\\'s' AND '\\\\' = "\\\\"`, true],
    ["'\\u00e9' = 'é'", true],
    ["/* a comment */ Temp /* 'x' */ = '21.5'", true],
    ["'two\nlines' = 'two\nlines'", true],
    ["True = 'x'", undefined], // only lower case is the literal, this is a property
    ["NULL = 'x'", undefined],
  ])('%s is %p', (condition, expected) => {
    expect(evaluate(condition)).toBe(expected);
  });

  test.each([
    ["'a' = 'b", 'ROUTE_SYNTAX', 7],
    ["'\\x' = 'x'", 'ROUTE_SYNTAX', 1],
    ["50 = 'fifty'", 'CONDITION_TYPE', 4], // digits are a number, also where a property is called so
    ['5+3 = 8', 'CONDITION_TYPE', 5], // `5+3` is a name
    ['true && false', 'ROUTE_SYNTAX', 6],
    ['a == b', 'ROUTE_SYNTAX', 4],
    ['select', 'ROUTE_SYNTAX', 1],
    ['a[0] = 1', 'ROUTE_SYNTAX', 1],
    ['true ;', 'ROUTE_SYNTAX', 6],
    ['', 'none', 0],
  ])('%s has a mistake %s at column %p', (condition, code, column) => {
    const [mistake] = checkCondition(condition).mistakes;
    expect([mistake?.code ?? 'none', mistake?.column ?? 0]).toEqual([code, column]);
  });
});

describe('types and logic', () => {
  test.each([
    ['NOT (Temp = "21.5")', false],
    ['-1 * -1 = 1', true],
    ['2 + 3 * 4 % 5 - 6 / 3 = 2', true],
    ["'a' || 'b' = 'ab'", true],
    ['1 < 2 = 3 < 4', true], // comparison binds tighter than equality
    ['1 = 1 = true', true],
    ['true OR true AND false', true],
    ['false ?? true OR true', false], // ?? binds loosest
    ["(missing ?? 'x') = 'x'", true],
    ["(none ?? 'x') = 'x'", undefined], // present without value: defined, and comparable with nothing
    ["is_defined(none) AND is_null(none) AND NOT is_string(none) AND none || 'a' = 'a'", true],
    ["empty = '' AND length(empty) = 0", true],
    ['7 % 0 = 7', undefined],
    ['-7 % 3 = -1', true],
    ['-1 / 0 < -9e307', true],
    ['is_number(1 / 0)', false],
    ['is_defined(1 / 0) AND NOT is_defined(0 / 0)', true],
    ['true > false', true],
    ["'Z' < 'a' AND 'a' < 'é'", true],
    ['undefined OR true', true],
    ['undefined AND false', false],
    ['undefined AND true', undefined],
    ['null OR false', false],
    ['null = null AND null <= null AND NOT (null <> null)', true],
    ['is_bool(undefined)', false],
    ['is_bool(undefined = undefined)', undefined],
    ['is_bool($body.n)', false],
    ['is_bool($body.o)', undefined],
    ['null', false],
    ["'a string'", undefined],
    ['3', undefined],
    ['   ', undefined],
  ])('%s is %p', (condition, expected) => {
    expect(evaluate(condition)).toBe(expected);
  });

  test.each([
    'Temp > 20',
    'Temp = 21.5',
    'Temp AND true',
    'NOT Temp',
    '1 AND true',
    'true AND $body.on',
    'null AND $body.on',
    '$body.on AND null',
    "'a' ?? 1",
    '3 ?? undefined',
    'undefined ?? 3',
    "1 || 'a'",
    "'a' + 'b'",
    '$body.n + "1" = 4',
    '$blank = null',
    '-$body.n < 0',
    '$body.n % 2 = 1',
    "- 'a' = 1",
    '$body.n = undefined',
    'null = undefined',
    'true = 1',
    'nosuch(1)',
    'is_defined()',
    'is_null(1, 2)',
    'substring(1, 1)',
    "substring('a', '1')",
    "concat('a')",
    "concat('a', 1)",
    'as_number(true)',
    'length(null)',
    "twin_change_includes('x')",
  ])('%s does not compile', (condition) => {
    expect(checkCondition(condition).mistakes).toMatchObject([{ code: 'CONDITION_TYPE' }]);
  });
});

describe('properties and body', () => {
  test.each([
    ["TEMP = '21.5' AND as_number(temp) > 21", true],
    ["$where = 'app' AND {$where} = 'system' AND $WHERE = 'app'", true],
    ["$contentType = 'Application/JSON'", true],
    ["$connectionDeviceId = 'd' AND $connectionModuleId = 'm'", true],
    ['is_null($blank) AND is_defined($blank)', true],
    ["$body = 'x'", undefined],
    ["$body.shadow = '9' AND NOT ({$body.shadow} = '9')", true],
    ["$BODY.n = 3 AND $Body.text = 'abc'", true],
    ["$body.case = null AND $body.Case = 'upper'", true], // names inside the body keep their case
    ["$body.a-b+c%1! = 'odd'", true],
    ['$body.list[0] = 1 AND $body.list[1][0] = 2', true],
    ["$body.list[2].k = 'v'", true],
    ['$body.list[9] = null AND $body.n[0] = null AND $body.list.k = null', true],
    ['$body.list = 1', undefined],
    ['$body.o = null', undefined],
    ['$body.o.* = 7', true], // Json.NET's wildcard, over one value
    ['$body.several.* = 1', undefined],
    ['$body.n.* = null', true],
    ['$body.$.n = 3', true], // and its name of the root
    ["$body.$cash = 'money'", true],
    ["$body.emoji = 'a😀' AND length($body.emoji) = 3", true],
    ['$body.n = 3.0 AND $body.n <> "3" AND $body.n < "3"', true],
    ['$body.off < $body.n AND $body.n < $body.text AND $body.text < $body.nothing', true],
    ['$body.on = 1', false],
    ['$body.missing = null AND $body.nothing = null AND NOT ($body.n = null)', true],
    ['$body.n + 1 = 4 AND 2 * $body.n = 6 AND $body.n / 0 > 1e300', true],
    ['is_defined($body.n / $body.text)', false],
    ['$body.on AND true', true],
    ['$body.on AND "x"', undefined],
    ['$body.n OR true', undefined],
    ['NOT $body.n', undefined],
    ['$body.on', true],
    ['$body.n', undefined],
    ['is_defined($body.utc) OR is_defined($body.zoned) OR is_defined($body.midnight)', false],
    ['is_defined($body.ticks)', false],
    ['is_string($body.day) AND is_string($body.never) AND is_string($body.fine) AND is_string($body.leap)', true],
  ])('%s is %p', (condition, expected) => {
    expect(evaluate(condition)).toBe(expected);
  });

  test.each(['$body.', '$body.a..b', '$body.a.', '$body.5', '$body.a[b]', '$body.a[]', '$body.a[-1]', '$body.a[*]'])(
    '%s is no path',
    (path) => {
      expect(checkCondition(`${path} = 1`).mistakes).toMatchObject([{ code: 'CONDITION_TYPE', column: 1 }]);
    },
  );

  test.each([
    ['text/plain', 'utf-8', undefined],
    ['application/json; charset=utf-8', 'utf-8', undefined],
    ['APPLICATION/JSON', 'Utf-8', true],
    ['application/json', 'ascii', undefined],
  ])('%s in %s', (contentType, contentEncoding, expected) => {
    expect(evaluate('$body.n = 3', { systemProperties: { contentType, contentEncoding } })).toBe(expected);
  });

  test('without content type or encoding there is no body', () => {
    expect(evaluate('$body.n = 3', { systemProperties: { contentEncoding: 'utf-8' } })).toBeUndefined();
    expect(evaluate('$body.n = 3', { systemProperties: { contentType: 'application/json' } })).toBeUndefined();
  });

  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
  const utf32 = (text: string): Buffer =>
    Buffer.concat(
      Array.from(text, (character) => {
        const four = Buffer.alloc(4);
        four.writeUInt32LE(character.codePointAt(0)!);
        return four;
      }),
    );
  const json = '{"n":3,"s":"é😀"}';
  test.each<[string, string, Buffer, boolean | undefined]>([
    ['utf-8', 'plain', Buffer.from(json), true],
    ['utf-16', 'little endian', utf16(json), true],
    ['utf-32', 'little endian', utf32(json), true],
    ['utf-16', 'big endian', utf16(json).swap16(), undefined],
    ['utf-8', 'in UTF-16', utf16(json), undefined],
    ['utf-16', 'in UTF-8', Buffer.from(json), undefined],
    ['utf-32', 'cut off', utf32(json).subarray(0, -2), undefined],
    // .NET's GetString keeps the mark, and Json.NET takes it for an unexpected character.
    ['utf-8', 'byte order mark', Buffer.from(`\ufeff${json}`), undefined],
    ['utf-8', 'a list', Buffer.from('[1]'), undefined],
    ['utf-8', 'no JSON', Buffer.from('{"n":3'), undefined],
    ['utf-8', 'empty', Buffer.alloc(0), undefined],
  ])('a body in %s, %s', (contentEncoding, _, body, expected) => {
    const systemProperties = { contentType: 'application/json', contentEncoding };
    expect(evaluate("$body.n = 3 AND $body.s = 'é😀'", { body, systemProperties })).toBe(expected);
  });
});

describe('functions', () => {
  test.each([
    ["substring('abc', 3) = ''", true],
    ["substring('abc', 3, 0) = ''", undefined],
    ["substring('abc', 1.9) = 'bc'", true],
    ["substring('abc', 0, 4) = 'abc'", undefined],
    ["substring('abc', -1) = 'abc'", undefined],
    ["substring('', 0) = ''", true],
    ["substring($body.text, $body.n) = ''", true],
    ["substring($body.n, 1) = ''", undefined],
    ["index_of('abc', 'd') = -1 AND index_of('abc', '') = 0", true],
    ["concat('a', $body.text, none, empty) = 'aabc'", true],
    ["is_defined(concat('a', $body.n))", false],
    ["contains(Temp, '.') AND starts_with(Temp, '21') AND ends_with(Temp, '.5')", true],
    ["Contains($body.n, '3')", undefined],
    ["as_number(' 1,000.5 ') = 1000.5 AND as_number('(3)') = -3 AND as_number('¤ 3-') = -3", true],
    ["as_number('.5') = 0.5 AND as_number('5.') = 5 AND as_number('1e3') = 1000", true],
    ["is_defined(as_number('- 5')) OR is_defined(as_number('+5-')) OR is_defined(as_number('( 5)'))", false],
    ["is_defined(as_number('')) OR is_defined(as_number('1 2')) OR is_defined(as_number('0x10'))", false],
    ["is_defined(as_number('∞')) OR is_defined(as_number('NaN'))", false],
    ["as_number('infinity') = 1 / 0", true],
    ['as_number($body.n) = 3 AND as_number($body.text) = 3', undefined],
    ['abs($body.n - 5) = 2 AND square(-3) = 9 AND power(2, 0.5) > 1.41 AND power(0, 0) = 1', true],
    ['is_defined(sqrt(-1)) OR is_defined(power(-8, 1 / 3))', false],
    ['ceiling(-0.5) = 0 AND floor(-0.5) = -1 AND sign(-3 / 0) = -1 AND sign(0) = 0', true],
    ["is_null('a') OR is_null(1) OR is_null(true) OR is_null(missing)", false],
    ["lower('ÀÉ') = 'àé' AND UPPER('ß') = 'ß'", true],
  ])('%s is %p', (condition, expected) => {
    expect(evaluate(condition)).toBe(expected);
  });
});

describe('routes', () => {
  test.each([
    ['FROM /messages/* INTO $upstream x', 'ROUTE_SYNTAX', 33],
    ['FROM messages INTO $upstream', 'ROUTE_SYNTAX', 6],
    ['FROM /messages/ INTO $upstream', 'ROUTE_SYNTAX', 17],
    ['SELECT FROM /messages INTO $upstream', 'ROUTE_SYNTAX', 8],
    ['FROM /* WHERE INTO $upstream', 'ROUTE_SYNTAX', 15],
    ['FROM /* WHERE Temp > 3 INTO $upstream', 'CONDITION_TYPE', 20],
    ["FROM /* WHERE  nosuch('a') INTO $upstream", 'CONDITION_TYPE', 16],
    ['FROM /* INTO $cloud', 'ROUTE_SINK', 14],
    ['FROM /* INTO BrokeredEndpoint("/modules/b/inputs")', 'ROUTE_SINK', 14],
    ['FROM /* INTO BrokeredEndpoint("//modules/b/inputs/in")', 'ROUTE_SINK', 14],
    ['FROM /* INTO Function("/modules/b/inputs/in")', 'ROUTE_SINK', 14],
    ['', 'ROUTE_SYNTAX', 1],
  ])('%s has %s at column %p', (route, code, column) => {
    expect(checkRoute(route).mistakes).toMatchObject([{ code, column }]);
  });

  test('everything that is wrong with a route is named at once', () => {
    const { route, condition, mistakes } = checkRoute('FROM /* WHERE Temp = 1 INTO $nowhere');
    expect(route).toMatchObject({ source: '/', condition: 'Temp = 1' });
    expect(condition).toBeUndefined();
    expect(mistakes.map(({ code, column }) => [code, column])).toEqual([
      ['CONDITION_TYPE', 20],
      ['ROUTE_SINK', 29],
    ]);
  });

  test.each([
    ["from /Messages into BROKEREDENDPOINT('modules/b/inputs/in/')", 'b'],
    ["select * from /messages/modules/a/* into brokeredEndpoint(' /modules/it\"s/inputs/in ')", 'it"s'],
  ])('%s', (route, module) => {
    expect(checkRoute(route).mistakes).toEqual([]);
    expect(parseRoute(route).sink).toMatchObject({ module, input: 'in' });
  });

  test.each([
    ['/messages/modules/A', '/messages/modules/a/outputs/o/', true],
    ['/messages/modules/a/outputs/*', '/messages/modules/a/', false],
    ['/messages/mod', '/messages/modules/a/', false],
    ['/messages/*/a', '/messages/modules/a/', false],
    ['/*', '/twinChangeNotifications/', true],
    ['/messages/**', '/messages/', true],
  ])('%s covers %s: %p', (pattern, source, expected) => {
    expect(sourceMatches(pattern, source)).toBe(expected);
  });
});
