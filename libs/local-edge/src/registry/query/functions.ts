/** What an expression yields; `undefined` is IoT Hub's "undefined": a property that is not there. */
export type Value = unknown;

type Call = (args: readonly Value[]) => Value;

const is =
  (test: (value: Value) => boolean): Call =>
  ([value]) =>
    test(value);

const isObject = (value: Value): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Functions of strings: undefined unless every argument is one. */
const ofStrings =
  (apply: (...texts: string[]) => Value): Call =>
  (args) =>
    args.every((value) => typeof value === 'string') ? apply(...(args as string[])) : undefined;

const ofNumbers =
  (apply: (value: number) => number): Call =>
  ([value]) => {
    const result = typeof value === 'number' ? apply(value) : Number.NaN;
    return Number.isFinite(result) ? result : undefined;
  };

const isPrimitive = (value: Value): boolean => value === null || ['boolean', 'number', 'string'].includes(typeof value);
const startsWith = ofStrings((text = '', part = '') => text.startsWith(part));
const endsWith = ofStrings((text = '', part = '') => text.endsWith(part));

const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number, call: Call]>> = {
  is_defined: [1, 1, is((value) => value !== undefined)],
  is_null: [1, 1, is((value) => value === null)],
  is_bool: [1, 1, is((value) => typeof value === 'boolean')],
  is_number: [1, 1, is((value) => typeof value === 'number')],
  is_string: [1, 1, is((value) => typeof value === 'string')],
  is_array: [1, 1, is((value) => Array.isArray(value))],
  is_object: [1, 1, is(isObject)],
  is_primitive: [1, 1, is(isPrimitive)],
  startswith: [2, 2, startsWith],
  starts_with: [2, 2, startsWith],
  endswith: [2, 2, endsWith],
  ends_with: [2, 2, endsWith],
  contains: [2, 2, ofStrings((text = '', part = '') => text.includes(part))],
  index_of: [2, 2, ofStrings((text = '', part = '') => text.indexOf(part))],
  lower: [1, 1, ofStrings((text = '') => text.toLowerCase())],
  upper: [1, 1, ofStrings((text = '') => text.toUpperCase())],
  length: [1, 1, ofStrings((text = '') => text.length)],
  concat: [2, 16, ofStrings((...texts) => texts.join(''))],
  abs: [1, 1, ofNumbers(Math.abs)],
  ceiling: [1, 1, ofNumbers(Math.ceil)],
  floor: [1, 1, ofNumbers(Math.floor)],
};

/** How many arguments each function takes. */
export const ARITY: ReadonlyMap<string, readonly [least: number, most: number]> = new Map(
  Object.entries(FUNCTIONS).map(([name, [least, most]]) => [name, [least, most]]),
);

/** Calls a function that the parser has let through. */
export function callFunction(name: string, args: readonly Value[]): Value {
  return FUNCTIONS[name]?.[2](args);
}
