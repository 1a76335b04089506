import { expect, test } from '@jest/globals';
import { parseWritten } from './written-json.ts';

test('what a person wrote, as it stands', () => {
  expect(parseWritten('{"a": [1, null], "ü": "\\u0000"}\r\n', 'p.json')).toEqual({ a: [1, null], ü: '\0' });
  const hostile = parseWritten('{"__proto__": {"a": 1}}', 'p.json') as object;
  expect(Object.keys(hostile)).toEqual(['__proto__']);
});

test.each([
  [
    '{"a": 1,}',
    'p.json:1:9 is not JSON: Expecting property name enclosed in double quotes; remove the comma before it',
  ],
  [
    '{\n // b\n}',
    'p.json:2:2 is not JSON: Expecting property name enclosed in double quotes; comments are no JSON: remove them',
  ],
  [
    '\ufeff{}',
    'p.json:1:1 is not JSON: Expecting value; the file begins with a byte order mark: save it as UTF-8 without one',
  ],
  ['', 'p.json:1:1 is not JSON: Expecting value; the file is empty'],
  [
    "{'a': 1}",
    'p.json:1:2 is not JSON: Expecting property name enclosed in double quotes; texts stand in double quotes',
  ],
  ['{"a": {"b": 1,\n "b": 2}}', 'p.json:2:2 has "b" twice: only one of them would count'],
  ['{"a": "M\ufffdller"}', 'p.json:1:9 has bytes that are no UTF-8: save it as UTF-8'],
  ['{"a": NaN}', 'p.json:1:1 is not JSON: NaN and Infinity are no numbers there'],
  ['['.repeat(100_000), 'p.json:1:501 is not JSON: Nested too deeply'],
])('%j', (text, message) => {
  expect(() => parseWritten(text, 'p.json')).toThrow(expect.objectContaining({ code: 'PATCH_INVALID', message }));
});

test('a text of the command line has no lines', () => {
  expect(() => parseWritten('{"a"', 'the patch', false)).toThrow(
    expect.objectContaining({ message: "the patch is not JSON: Expecting ':' delimiter" }),
  );
});
