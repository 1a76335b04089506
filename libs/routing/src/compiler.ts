import { parseBodyPath, MISSING, NULL_TEXT, type BodyPath } from './body.ts';
import { BUILTINS } from './builtins.ts';
import { conditionTypeError } from './errors.ts';
import { MessageView, type RoutedMessage } from './message.ts';
import { ARITHMETIC, alike, coalesce, comparison } from './operators.ts';
import { type BinaryOperator, type Expression, parseCondition } from './parser.ts';
import { type StaticType, type Typed, fits, toBody } from './values.ts';

/** A condition ready to run. It holds no state: one may serve many messages. */
export interface CompiledCondition {
  /** The text it was compiled from. */
  readonly text: string;
  /** Three-valued: a route matches only on true. */
  evaluate(message: RoutedMessage): boolean | undefined;
  /** The same for a message whose view is shared with other conditions. */
  evaluateView(view: MessageView): boolean | undefined;
}

/**
 * Compiles a condition to closures, with the static types of edgeHub's condition language.
 * @throws VantageError ROUTE_SYNTAX, CONDITION_TYPE
 */
export function compileCondition(text: string): CompiledCondition {
  return compileParsed(text, parseCondition(text), text);
}

/**
 * Compiles what was parsed already.
 * @param within - The text that the columns of `expression` count in.
 * @throws VantageError CONDITION_TYPE
 */
export function compileParsed(text: string, expression: Expression, within: string): CompiledCondition {
  const { type, run } = new Compiler(within).compile(expression);
  // A bare string or number decides nothing, and null counts as false.
  const evaluateView = (view: MessageView): boolean | undefined => {
    if (type === 'null') return false;
    const value = run(view);
    return typeof value === 'boolean' ? value : undefined;
  };
  return { text, evaluateView, evaluate: (message) => evaluateView(new MessageView(message)) };
}

/**
 * Compiles one expression, whatever its type, to a function that gives its value; undefined, null and NaN as they are.
 * @throws VantageError ROUTE_SYNTAX, CONDITION_TYPE
 */
export function compileExpression(
  text: string,
): (message: RoutedMessage) => string | number | boolean | null | undefined {
  const { run } = new Compiler(text).compile(parseCondition(text));
  return (message) => {
    const value = run(new MessageView(message));
    return value === MISSING || value === NULL_TEXT ? null : value;
  };
}

const BODY_PREFIX = '$body.';
const UNDEFINED: Typed = { type: 'undefined', run: () => undefined };

class Compiler {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  compile(node: Expression): Typed {
    switch (node.kind) {
      case 'bool':
      case 'string': {
        const { value } = node;
        return { type: node.kind, run: () => value };
      }
      case 'number': {
        const { value } = node;
        return Number.isNaN(value) ? UNDEFINED : { type: 'number', run: () => value };
      }
      case 'null':
        return { type: 'null', run: () => null };
      case 'undefined':
        return UNDEFINED;
      case 'property': {
        const name = node.name.toLowerCase();
        return { type: 'string', run: (view) => view.property(name) };
      }
      case 'system':
        return this.#system(node.name, node.escaped, node.column);
      case 'call': {
        const call = BUILTINS.get(node.name.toLowerCase());
        if (call === undefined) throw this.#error(`unknown function '${node.name}'`, node.column);
        const args = node.args.map((arg) => this.compile(arg));
        const compiled = call(args);
        if (compiled !== undefined) return compiled;
        throw this.#error(`invalid arguments to ${node.name}(${args.map((arg) => arg.type).join(', ')})`, node.column);
      }
      case 'unary':
        return this.#unary(node.operator, this.compile(node.operand), node.column);
      case 'binary':
        return this.#binary(node.operator, this.compile(node.left), this.compile(node.right), node.column);
    }
  }

  /** `$name`: an application property literally called so, else the body or a system property; `{$name}` skips the first. */
  #system(name: string, escaped: boolean, column: number): Typed {
    let path: BodyPath | undefined;
    if (name.toLowerCase().startsWith(BODY_PREFIX)) {
      path = parseBodyPath(name.slice(BODY_PREFIX.length));
      if (path === undefined) throw this.#error(`'${name}' is not a body path of the form $body.a.b[0]`, column);
    }
    const bracketed = /[[\]]/.test(name);
    if (path === undefined && bracketed) return UNDEFINED;
    const lowerName = name.toLowerCase();
    if (path !== undefined) {
      const bodyPath = path;
      if (escaped || bracketed) return { type: 'body', run: (view) => view.bodyValue(bodyPath) };
      return {
        type: 'body',
        run: (view) => {
          const property = view.property(lowerName);
          if (property === undefined) return view.bodyValue(bodyPath);
          return property === null ? NULL_TEXT : property;
        },
      };
    }
    const systemName = lowerName.slice(1);
    if (escaped) return { type: 'string', run: (view) => view.systemProperty(systemName) };
    return {
      type: 'string',
      run: (view) => {
        const property = view.property(lowerName);
        return property === undefined ? view.systemProperty(systemName) : property;
      },
    };
  }

  #unary(operator: '-' | 'not', operand: Typed, column: number): Typed {
    const { type, run } = operand;
    if (operator === '-') {
      if (type !== 'number') throw this.#operandError('-', [type], column);
      return { type: 'number', run: (view) => -(run(view) as number) };
    }
    if (type === 'null') return { type: 'bool', run: () => true };
    if (!fits('bool', type)) throw this.#operandError('NOT', [type], column);
    return {
      type: 'bool',
      run: (view) => {
        const value = run(view);
        return typeof value === 'boolean' ? !value : undefined;
      },
    };
  }

  #binary(operator: BinaryOperator, left: Typed, right: Typed, column: number): Typed {
    switch (operator) {
      case 'and':
      case 'or':
        return this.#logical(operator, left, right, column);
      case '||':
        this.#check(operator, 'string', left, right, column);
        return BUILTINS.get('concat')?.([left, right]) ?? UNDEFINED;
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        this.#check(operator, 'number', left, right, column);
        return this.#arithmetic(operator, left, right, column);
      case '??':
        this.#check(operator, left.type, left, right, column);
        return coalesce(...alike(left, right));
      case '=':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#check(operator, left.type, left, right, column);
        return comparison(operator, ...alike(left, right));
    }
  }

  #check(operator: BinaryOperator, wanted: StaticType, left: Typed, right: Typed, column: number): void {
    if (fits(wanted, left.type) && fits(wanted, right.type)) return;
    throw this.#operandError(operator, [left.type, right.type], column);
  }

  #arithmetic(operator: '+' | '-' | '*' | '/' | '%', left: Typed, right: Typed, column: number): Typed {
    const calculate = ARITHMETIC[operator];
    if (left.type === 'number' && right.type === 'number') {
      const { run: a } = left;
      const { run: b } = right;
      return { type: 'number', run: (view) => calculate(a(view) as number, b(view) as number) };
    }
    if (operator === '%') throw this.#operandError(operator, [left.type, right.type], column);
    const a = toBody(left).run;
    const b = toBody(right).run;
    return {
      type: 'body',
      run: (view) => {
        const x = a(view);
        const y = b(view);
        return typeof x === 'number' && typeof y === 'number' ? calculate(x, y) : undefined;
      },
    };
  }

  /**
   * AND and OR, neither side short-circuited. edgeHub's own operand test is lopsided and kept so: a body value may stand
   * left of anything but, on the right, only of another body value.
   */
  #logical(operator: 'and' | 'or', left: Typed, right: Typed, column: number): Typed {
    const plain = (type: StaticType): boolean => type === 'bool' || type === 'null' || type === 'undefined';
    const anyNull = left.type === 'null' || right.type === 'null';
    const valid =
      left.type === 'body'
        ? operator === 'or' || right.type !== 'null'
        : plain(left.type) &&
          plain(right.type) &&
          !(anyNull && (left.type === 'undefined' || right.type === 'undefined'));
    if (!valid) throw this.#operandError(operator, [left.type, right.type], column);
    const { run: a } = left;
    const { run: b } = right;
    if (left.type === 'body') {
      return {
        type: 'bool',
        run: (view) => {
          const x = a(view);
          const y = b(view);
          return typeof x === 'boolean' && typeof y === 'boolean' ? (operator === 'and' ? x && y : x || y) : undefined;
        },
      };
    }
    if (anyNull) {
      if (operator === 'and' || left.type === right.type) return { type: 'null', run: () => null };
      return left.type === 'null' ? { type: 'bool', run: b } : { type: 'bool', run: a };
    }
    const decisive = operator === 'or';
    return {
      type: 'bool',
      run: (view) => {
        const x = a(view);
        const y = b(view);
        if (x === decisive || y === decisive) return decisive;
        return x === undefined || y === undefined ? undefined : !decisive;
      },
    };
  }

  #operandError(operator: string, types: readonly StaticType[], column: number): Error {
    return this.#error(`'${operator}' cannot take ${types.map((type) => TYPE_NAMES[type]).join(' and ')}`, column);
  }

  #error(problem: string, column: number): Error {
    return conditionTypeError(problem, column, this.#text);
  }
}

const TYPE_NAMES: Readonly<Record<StaticType, string>> = {
  string: 'a string',
  number: 'a number',
  bool: 'a bool',
  null: 'null',
  undefined: 'undefined',
  body: 'a body value',
};
