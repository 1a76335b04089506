import { compareBodyValues } from './body.ts';
import { type StaticType, type Typed, type Value, isDefined, toBody } from './values.ts';

/** `%` is the remainder with the sign of the dividend, as in C#. */
export const ARITHMETIC: Readonly<Record<'+' | '-' | '*' | '/' | '%', (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const COMPARISONS: Readonly<Record<'=' | '!=' | '<' | '<=' | '>' | '>=', (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Both operands as body values where one is. */
export function alike(left: Typed, right: Typed): [Typed, Typed] {
  if (left.type === right.type) return [left, right];
  return [toBody(left), toBody(right)];
}

/** `left ?? right`, both of one type. */
export function coalesce(left: Typed, right: Typed): Typed {
  const { type, run: a } = left;
  const { run: b } = right;
  return {
    type,
    run: (view) => {
      const value = a(view);
      return isDefined(type, value) ? value : b(view);
    },
  };
}

/** A comparison of operands of one type; undefined where either is. */
export function comparison(operator: keyof typeof COMPARISONS, left: Typed, right: Typed): Typed {
  const { type, run: a } = left;
  const { run: b } = right;
  const holds = COMPARISONS[operator];
  return {
    type: 'bool',
    run: (view) => {
      const x = a(view);
      const y = b(view);
      if (!comparable(type, x) || !comparable(type, y)) return undefined;
      return holds(compareBodyValues(x, y));
    },
  };
}

/** A string property without value compares with nothing, unlike a null. */
function comparable(type: StaticType, value: Value): value is Exclude<Value, undefined> {
  return value !== undefined && !(type === 'string' && value === null) && isDefined(type, value);
}
