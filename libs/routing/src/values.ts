import { type BodyValue, NULL_TEXT } from './body.ts';
import type { MessageView } from './message.ts';

/**
 * The static type of an expression. edgeHub compiles conditions to typed code, so wrong types are errors before any
 * message is seen. `body` is a value of the body, whose real type shows only at run time.
 */
export type StaticType = 'string' | 'number' | 'bool' | 'null' | 'undefined' | 'body';

/**
 * What an expression gives, by static type: string gives text, null (present without value) or undefined; number gives a
 * number, NaN being undefined; bool gives true, false or undefined; body gives any {@link BodyValue}.
 */
export type Value = BodyValue;

/** A compiled expression. */
export interface Typed {
  readonly type: StaticType;
  readonly run: (view: MessageView) => Value;
}

/** Whether an operand of type `given` may stand where `wanted` is asked: the same type, or a body value for a real one. */
export function fits(wanted: StaticType, given: StaticType): boolean {
  if (wanted === given) return true;
  return (given === 'body' && wanted !== 'undefined') || (wanted === 'body' && given !== 'undefined');
}

/** The same expression, giving values that {@link compareBodyValues} can order. */
export function toBody(expression: Typed): Typed {
  const { type, run } = expression;
  if (type === 'body') return expression;
  if (type === 'string') {
    return {
      type: 'body',
      run: (view) => {
        const value = run(view);
        return value === null ? NULL_TEXT : value;
      },
    };
  }
  if (type === 'number') {
    return {
      type: 'body',
      run: (view) => {
        const value = run(view);
        return Number.isNaN(value) ? undefined : value;
      },
    };
  }
  return { type: 'body', run };
}

/** Whether a value counts as defined, given the static type of its expression. */
export function isDefined(type: StaticType, value: Value): boolean {
  return type === 'number' ? !Number.isNaN(value) : value !== undefined;
}
