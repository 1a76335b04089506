import { routeSyntaxError } from './errors.ts';
import { type Token, type TokenType, tokenize } from './lexer.ts';

/** Operators with two operands, as written. `<>` is `!=`. */
export type BinaryOperator =
  '*' | '/' | '%' | '+' | '-' | '||' | '<' | '<=' | '>' | '>=' | '=' | '!=' | 'and' | 'or' | '??';

/** The syntax tree of a condition. `column` counts from 1. */
export type Expression =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  /** NaN where the digits make no number (`e5`): of type undefined. */
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'null' }
  | { readonly kind: 'undefined' }
  | { readonly kind: 'property'; readonly name: string }
  /** `$name`, or `{$name}` when escaped; the name includes its dollar sign. */
  | { readonly kind: 'system'; readonly name: string; readonly escaped: boolean; readonly column: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[]; readonly column: number }
  | { readonly kind: 'unary'; readonly operator: '-' | 'not'; readonly operand: Expression; readonly column: number }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly column: number;
    };

/** Binding power by token, loosest first (Condition.g4). All are left associative. */
const BINARY: ReadonlyMap<TokenType, readonly [operator: BinaryOperator, power: number]> = new Map([
  ['??', ['??', 1]],
  ['OR', ['or', 2]],
  ['AND', ['and', 3]],
  ['=', ['=', 4]],
  ['!=', ['!=', 4]],
  ['<>', ['!=', 4]],
  ['<', ['<', 5]],
  ['<=', ['<=', 5]],
  ['>', ['>', 5]],
  ['>=', ['>=', 5]],
  ['+', ['+', 6]],
  ['-', ['-', 6]],
  ['||', ['||', 6]],
  ['*', ['*', 7]],
  ['/', ['/', 7]],
  ['%', ['%', 7]],
] as const);
/** NOT binds tighter than every binary operator, and unary minus tighter than NOT. */
const NOT_POWER = 8;
const NEGATE_POWER = 9;

/** Deep enough for any real condition; bounds the recursion on a hostile one. */
const MAX_DEPTH = 200;

/** A left-associative chain is as deep as it is long, for the compiler; this many operators fill more than one twin value. */
const MAX_OPERATORS = 2000;

/** A whole twin is not longer. */
export const MAX_TEXT_LENGTH = 32_768;

/** A recursive-descent reader over the tokens of one text, shared by routes and conditions. */
export class TokenReader {
  readonly text: string;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #operators = 0;

  constructor(text: string) {
    this.text = text;
    if (text.length > MAX_TEXT_LENGTH) {
      throw routeSyntaxError(`longer than ${MAX_TEXT_LENGTH} characters`, MAX_TEXT_LENGTH + 1, '');
    }
    this.#tokens = tokenize(text);
  }

  get current(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw this.error('unexpected end');
    return token;
  }

  /** The token consumed last. */
  get previous(): Token | undefined {
    return this.#tokens[this.#index - 1];
  }

  is(type: TokenType): boolean {
    return this.current.type === type;
  }

  take(): Token {
    const token = this.current;
    if (token.type !== 'EOF') this.#index += 1;
    return token;
  }

  accept(type: TokenType): boolean {
    if (!this.is(type)) return false;
    this.take();
    return true;
  }

  expect(type: TokenType, what: string): Token {
    if (!this.is(type)) throw this.unexpected(what);
    return this.take();
  }

  error(problem: string, token: Token | undefined = this.#tokens[this.#index]): Error {
    return routeSyntaxError(problem, (token?.start ?? this.text.length) + 1, this.text);
  }

  unexpected(wanted: string): Error {
    const token = this.current;
    if (token.type === 'EOF') return this.error(`${wanted} expected, but the text ends`);
    if (token.type === 'UNKNOWN') return this.error(`invalid symbol '${token.text}'`);
    if (token.type === 'UNTERMINATED_STRING') return this.error('unterminated string');
    return this.error(`${wanted} expected, found '${token.text}'`);
  }

  /** One expression whose operators all bind tighter than `minPower`. */
  expression(minPower = 0): Expression {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.error('the condition is nested too deeply');
    let left = this.#prefix();
    for (;;) {
      const token = this.current;
      const rule = BINARY.get(token.type);
      if (rule === undefined || rule[1] <= minPower) break;
      this.take();
      this.#operators += 1;
      if (this.#operators > MAX_OPERATORS) throw this.error('the condition has too many operators', token);
      const right = this.expression(rule[1]);
      left = { kind: 'binary', operator: rule[0], left, right, column: token.start + 1 };
    }
    this.#depth -= 1;
    return left;
  }

  #prefix(): Expression {
    const token = this.current;
    if (token.type === '-' || token.type === 'NOT') {
      this.take();
      const operand = this.expression(token.type === '-' ? NEGATE_POWER : NOT_POWER);
      return { kind: 'unary', operator: token.type === '-' ? '-' : 'not', operand, column: token.start + 1 };
    }
    return this.#primary();
  }

  #primary(): Expression {
    const token = this.current;
    // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check -- every other token is an error
    switch (token.type) {
      case '(': {
        this.take();
        const inner = this.expression();
        this.expect(')', "closing ')'");
        return inner;
      }
      case '{': {
        this.take();
        const name = this.expect('SYS_PROP', 'a system property');
        this.expect('}', "closing '}'");
        return { kind: 'system', name: name.text, escaped: true, column: name.start + 1 };
      }
      case 'TRUE':
      case 'FALSE':
        this.take();
        return { kind: 'bool', value: token.type === 'TRUE' };
      case 'NULL':
        this.take();
        return { kind: 'null' };
      case 'UNDEFINED':
        this.take();
        return { kind: 'undefined' };
      case 'STRING':
        this.take();
        return { kind: 'string', value: unescape(token.text.slice(1, -1)) };
      case 'INTEGER':
      case 'REAL':
        this.take();
        return { kind: 'number', value: Number(token.text) };
      case 'HEX':
        this.take();
        return { kind: 'number', value: hexValue(token.text.slice(2)) };
      case 'SYS_PROP':
        this.take();
        return { kind: 'system', name: token.text, escaped: false, column: token.start + 1 };
      case 'ID':
        this.take();
        return this.is('(') ? this.#call(token) : { kind: 'property', name: token.text };
      default:
        throw this.unexpected('an expression');
    }
  }

  #call(name: Token): Expression {
    this.take();
    const args: Expression[] = [];
    if (!this.is(')')) {
      do args.push(this.expression());
      while (this.accept(','));
    }
    this.expect(')', "closing ')'");
    return { kind: 'call', name: name.text, args, column: name.start + 1 };
  }
}

/** edgeHub unescapes in two passes, so that `\\u0041` becomes `\A`, not `\u0041`; conditions may rely on it. */
function unescape(raw: string): string {
  return raw
    .replace(/\\[Uu]([0-9A-Fa-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\(["'\\])/g, '$1');
}

/** Read as a 64-bit two's complement number, as .NET does; more digits make no number. */
function hexValue(digits: string): number {
  const significant = digits.replace(/^0+(?=.)/, '');
  return significant.length > 16 ? Number.NaN : Number(BigInt.asIntN(64, BigInt(`0x${significant}`)));
}

/**
 * Parses a condition. A blank text is the expression `undefined`.
 *
 * Stricter than edgeHub in one point: what follows a complete expression is an error here, where ANTLR stops silently.
 * @throws VantageError ROUTE_SYNTAX
 */
export function parseCondition(text: string): Expression {
  const reader = new TokenReader(text);
  if (reader.is('EOF')) return { kind: 'undefined' };
  const expression = reader.expression();
  reader.expect('EOF', 'an operator or the end');
  return expression;
}
