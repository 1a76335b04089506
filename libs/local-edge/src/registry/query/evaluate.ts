import { isTwinObject, twinEquals } from '@vantage/contracts';
import type { BinaryOperator, Expression, Path } from './ast.ts';
import { callFunction, type Value } from './functions.ts';

/** The value at a path; undefined when a name on the way is missing. */
export function valueAt(document: unknown, path: Path): Value {
  let value = document;
  for (const name of path) {
    if (!isTwinObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** Whether a condition holds. Undefined, because a property is missing or of another type, does not. */
export function matches(condition: Expression, document: unknown): boolean {
  return evaluate(condition, document) === true;
}

/**
 * The value of an expression over a twin or job. Logic has three values: a comparison with a property that is missing,
 * or of values of different types, is undefined, NOT of it is too, and AND and OR follow Cosmos DB's tables, whose query
 * engine IoT Hub uses.
 */
export function evaluate(expression: Expression, document: unknown): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'path':
      return valueAt(document, expression.path);
    case 'not':
      return negated(evaluate(expression.operand, document));
    case 'negate': {
      const value = evaluate(expression.operand, document);
      return typeof value === 'number' ? -value : undefined;
    }
    case 'in': {
      const found = isIn(
        evaluate(expression.operand, document),
        expression.list.map((item) => evaluate(item, document)),
      );
      return expression.negated ? negated(found) : found;
    }
    case 'call':
      return callFunction(
        expression.name,
        expression.args.map((argument) => evaluate(argument, document)),
      );
    case 'binary':
      return binary(expression.operator, evaluate(expression.left, document), evaluate(expression.right, document));
  }
}

function negated(value: Value): Value {
  return typeof value === 'boolean' ? !value : undefined;
}

function isIn(value: Value, list: readonly Value[]): Value {
  if (value === undefined) return undefined;
  return list.some((item) => equal(value, item) === true);
}

function binary(operator: BinaryOperator, left: Value, right: Value): Value {
  switch (operator) {
    case 'and':
      if (left === false || right === false) return false;
      return left === true && right === true ? true : undefined;
    case 'or':
      if (left === true || right === true) return true;
      return left === false && right === false ? false : undefined;
    case '=':
      return equal(left, right);
    case '!=':
      return negated(equal(left, right));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(operator, left, right);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return typeof left === 'number' && typeof right === 'number' ? calculate(operator, left, right) : undefined;
  }
}

function equal(left: Value, right: Value): boolean | undefined {
  if (left === undefined || right === undefined || typeName(left) !== typeName(right)) return undefined;
  return twinEquals(left, right);
}

function compare(operator: '<' | '<=' | '>' | '>=', left: Value, right: Value): boolean | undefined {
  const sameType = typeof left === typeof right && ['string', 'number', 'boolean'].includes(typeof left);
  if (!sameType) return undefined;
  const [a, b] = [left as string, right as string];
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}

function calculate(operator: '+' | '-' | '*' | '/' | '%', left: number, right: number): number | undefined {
  const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right, '%': left % right };
  const result = results[operator];
  return Number.isFinite(result) ? result : undefined;
}

function typeName(value: Value): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
