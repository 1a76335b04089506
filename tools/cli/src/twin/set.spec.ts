import { describe, expect, test } from '@jest/globals';
import type { TwinObject } from '@vantage/contracts';
import { parseAssignment, valueAt, withValue } from './set.ts';

const TWIN: TwinObject = { a: { list: [1, { name: 'x' }] }, 'with.dot': 1 };
const set = (text: string, twin: TwinObject = TWIN): TwinObject => {
  const { keys, value } = parseAssignment(text);
  return withValue(twin, keys, value);
};

describe('path=value', () => {
  test.each<[string, TwinObject]>([
    ['b=5', { ...TWIN, b: 5 }],
    ['b=five words', { ...TWIN, b: 'five words' }],
    ['b="5"', { ...TWIN, b: '5' }],
    ['b={"c":[1,2]}', { ...TWIN, b: { c: [1, 2] } }],
    ['b=a=b', { ...TWIN, b: 'a=b' }],
    ['b=', { ...TWIN, b: '' }],
    ['a.list[1].name=y', { ...TWIN, a: { list: [1, { name: 'y' }] } }],
    ['a.list[2]=3', { ...TWIN, a: { list: [1, { name: 'x' }, 3] } }],
    ['a.list[0]=null', { ...TWIN, a: { list: [{ name: 'x' }] } }],
    ['new.deep[0].key=1', { ...TWIN, new: { deep: [{ key: 1 }] } }],
    ['["with.dot"]=2', { ...TWIN, 'with.dot': 2 }],
    ['a=null', { 'with.dot': 1 }],
  ])('%s', (text, expected) => expect(set(text)).toEqual(expected));

  test('leaves what was as it was', () => {
    set('a.list[1].name=y');
    expect(TWIN).toEqual({ a: { list: [1, { name: 'x' }] }, 'with.dot': 1 });
  });

  test.each([
    ['no assignment', 'is not of the form path=value'],
    ['=5', 'is not of the form path=value'],
    ['a.list[9]=1', 'a.list has 2 entries: there is no [9]'],
    ['a[0]=1', 'a is no list'],
    ['a.list.name=1', 'a.list has no "name": it is a list'],
    ['with=1', ''],
  ])('%s', (text, message) => {
    if (message === '') expect(set(text)['with']).toBe(1);
    else expect(() => set(text)).toThrow(message);
  });

  test('keys of the prototype are data', () => {
    expect(valueAt(TWIN, ['constructor'])).toBeUndefined();
    expect(({} as TwinObject)['polluted']).toBeUndefined();
    set('__proto__.polluted=1');
    expect(({} as TwinObject)['polluted']).toBeUndefined();
  });
});
