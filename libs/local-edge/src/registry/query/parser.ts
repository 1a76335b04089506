import { queryInvalid } from '../../errors.ts';
import {
  CONTAINERS,
  type AggregateName,
  type BinaryOperator,
  type Container,
  type Expression,
  type Path,
  type Projection,
  type Query,
} from './ast.ts';
import { ARITY } from './functions.ts';
import { describe, TokenCursor } from './cursor.ts';
import type { Token } from './lexer.ts';

const MAX_DEPTH = 64;
const MAX_TOP = 1_000_000;
const AGGREGATES: readonly string[] = ['count', 'sum', 'avg', 'min', 'max'] satisfies AggregateName[];
/** Names that end a path instead of being one. */
const RESERVED = ['select', 'from', 'where', 'group', 'by', 'and', 'or', 'not', 'in', 'nin', 'as', 'top', 'order'];

/**
 * Reads a query of IoT Hub's language, the part that runs over twins and jobs:
 * `SELECT [TOP n] * | path [AS x], COUNT() AS n … FROM devices[.modules|.jobs] [WHERE …] [GROUP BY …]`.
 * Source: "IoT Hub query language for device and module twins, jobs, and message routing" of Microsoft's documentation.
 * @throws VantageError EDGE_QUERY_INVALID with the column
 */
export function parseQuery(text: string): Query {
  const parser = new Parser(text);
  return parser.query();
}

/** Reads a condition alone, as target conditions and jobs give it: `tags.site = 'a'`. `container` is what it is about. */
export function parseCondition(text: string, container: Container): Expression {
  const parser = new Parser(text, container);
  const condition = parser.expression();
  parser.expectEnd();
  return condition;
}

class Parser {
  readonly #cursor: TokenCursor;
  #depth = 0;
  #container: Container;

  constructor(text: string, container: Container = 'devices') {
    this.#cursor = new TokenCursor(text);
    this.#container = container;
  }

  query(): Query {
    this.#cursor.expectWord('select');
    const top = this.#cursor.takeWord('top') ? this.#topCount() : undefined;
    const selectAt = this.#cursor.position;
    const draft = this.#cursor.takeSymbol('*') ? '*' : this.#projections();
    this.#cursor.expectWord('from');
    this.#container = this.#containerName();
    // Paths may begin with the container's name, which is known only now.
    const select = draft === '*' ? draft : this.#cursor.again(selectAt, () => this.#projections());
    const where = this.#cursor.takeWord('where') ? this.expression() : undefined;
    const groupAt = this.#cursor.next;
    const groupBy = this.#cursor.takeWord('group') ? this.#groupBy() : [];
    if (this.#cursor.isWord('order')) throw this.#cursor.wrong('ORDER BY is not part of the query language of IoT Hub');
    this.expectEnd();
    this.#checkGroups(select, groupBy, groupAt);
    return { container: this.#container, top, select, where, groupBy };
  }

  expression(): Expression {
    return this.#deeper(() => this.#leftToRight(['or'], () => this.#leftToRight(['and'], () => this.#not())));
  }

  expectEnd(): void {
    if (this.#cursor.next.type !== 'end') throw this.#cursor.wrong(`unexpected ${describe(this.#cursor.next)}`);
  }

  #topCount(): number {
    const token = this.#cursor.take();
    const count = Number(token.text);
    if (token.type !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_TOP) {
      throw queryInvalid(token.column, `TOP needs a whole number from 1 to ${MAX_TOP}`);
    }
    return count;
  }

  #containerName(): Container {
    const { column } = this.#cursor.next;
    const name = this.#names().join('.').toLowerCase();
    const container = CONTAINERS.find((known) => known === name);
    if (container === undefined) throw queryInvalid(column, `unknown container "${name}": ${CONTAINERS.join(', ')}`);
    return container;
  }

  #projections(): Projection[] {
    const list: Projection[] = [];
    do list.push(this.#projection(list.length));
    while (this.#cursor.takeSymbol(','));
    return list;
  }

  #projection(index: number): Projection {
    const word = this.#cursor.next.text.toLowerCase();
    const after = this.#cursor.following;
    if (this.#cursor.next.type === 'name' && AGGREGATES.includes(word) && after?.text === '(') {
      const { column } = this.#cursor.take();
      this.#cursor.take();
      const path = this.#cursor.isSymbol(')') ? undefined : this.#path();
      this.#cursor.expectSymbol(')');
      const name = word as AggregateName;
      if (path === undefined && name !== 'count') throw queryInvalid(column, `${word.toUpperCase()} needs a path`);
      return { kind: 'aggregate', name, path, as: this.#alias() ?? `$${index + 1}` };
    }
    const path = this.#path();
    return { kind: 'path', path, as: this.#alias() ?? path.at(-1) ?? '' };
  }

  #alias(): string | undefined {
    if (!this.#cursor.takeWord('as')) return undefined;
    const token = this.#cursor.take();
    if (token.type !== 'name' && token.type !== 'escaped') throw queryInvalid(token.column, 'a name expected after AS');
    return token.text;
  }

  #groupBy(): Path[] {
    this.#cursor.expectWord('by');
    const list: Path[] = [];
    do list.push(this.#path());
    while (this.#cursor.takeSymbol(','));
    return list;
  }

  /** With aggregates or GROUP BY, every other path that is selected has to be one of the groups. */
  #checkGroups(select: Query['select'], groupBy: readonly Path[], at: Token): void {
    if (select === '*') {
      if (groupBy.length > 0) throw queryInvalid(at.column, 'SELECT * does not go with GROUP BY');
      return;
    }
    if (groupBy.length === 0 && select.every((item) => item.kind === 'path')) return;
    const groups = new Set(groupBy.map((path) => JSON.stringify(path)));
    for (const item of select) {
      if (item.kind === 'path' && !groups.has(JSON.stringify(item.path))) {
        throw queryInvalid(
          at.column,
          `${item.path.join('.')} is selected beside aggregates, so GROUP BY has to name it`,
        );
      }
    }
  }

  #leftToRight(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const operator = operators.find((one) => one === this.#cursor.next.text.toLowerCase());
      if (operator === undefined || (this.#cursor.next.type !== 'symbol' && this.#cursor.next.type !== 'name'))
        return left;
      this.#cursor.take();
      left = { kind: 'binary', operator, left, right: operand() };
    }
  }

  #not(): Expression {
    if (!this.#cursor.takeWord('not')) return this.#comparison();
    return this.#deeper(() => ({ kind: 'not', operand: this.#not() }));
  }

  #comparison(): Expression {
    const left = this.#sum();
    const negated = this.#cursor.isWord('not');
    if (negated || this.#cursor.isWord('in') || this.#cursor.isWord('nin')) {
      if (negated) this.#cursor.take();
      const word = this.#cursor.take();
      if (negated && word.text.toLowerCase() !== 'in') throw queryInvalid(word.column, 'IN expected after NOT');
      return this.#in(left, negated || word.text.toLowerCase() === 'nin');
    }
    const { type, text } = this.#cursor.next;
    if (type !== 'symbol' || !['=', '!=', '<>', '<', '<=', '>', '>='].includes(text)) return left;
    this.#cursor.take();
    const operator = (text === '<>' ? '!=' : text) as BinaryOperator;
    return { kind: 'binary', operator, left, right: this.#sum() };
  }

  #in(operand: Expression, negated: boolean): Expression {
    const close = this.#cursor.isSymbol('(') ? ')' : ']';
    if (close === ']' && !this.#cursor.isSymbol('[')) throw this.#cursor.wrong('a list in [ ] or ( ) expected');
    this.#cursor.take();
    const list: Expression[] = [];
    if (!this.#cursor.isSymbol(close)) {
      do list.push(this.#sum());
      while (this.#cursor.takeSymbol(','));
    }
    this.#cursor.expectSymbol(close);
    return { kind: 'in', operand, list, negated };
  }

  #sum(): Expression {
    return this.#leftToRight(['+', '-'], () => this.#leftToRight(['*', '/', '%'], () => this.#unary()));
  }

  #unary(): Expression {
    if (this.#cursor.takeSymbol('-')) return this.#deeper(() => ({ kind: 'negate', operand: this.#unary() }));
    return this.#primary();
  }

  #primary(): Expression {
    const token = this.#cursor.next;
    if (token.type === 'string' || token.type === 'number') {
      this.#cursor.take();
      return { kind: 'literal', value: token.type === 'string' ? token.text : Number(token.text) };
    }
    if (this.#cursor.takeSymbol('(')) {
      const inner = this.expression();
      this.#cursor.expectSymbol(')');
      return inner;
    }
    if (token.type === 'name') {
      const word = token.text.toLowerCase();
      const follows = this.#cursor.following?.text;
      if (follows === '(') return this.#call(word);
      if (follows !== '.' && (word === 'true' || word === 'false' || word === 'null')) {
        this.#cursor.take();
        return { kind: 'literal', value: word === 'null' ? null : word === 'true' };
      }
    }
    return { kind: 'path', path: this.#path() };
  }

  #call(name: string): Expression {
    const { column, text } = this.#cursor.take();
    const arity = ARITY.get(name);
    if (arity === undefined) throw queryInvalid(column, `unknown function ${text}`);
    this.#cursor.take();
    const args: Expression[] = [];
    if (!this.#cursor.isSymbol(')')) {
      do args.push(this.expression());
      while (this.#cursor.takeSymbol(','));
    }
    this.#cursor.expectSymbol(')');
    const [least, most] = arity;
    if (args.length < least || args.length > most) {
      const count = least === most ? String(least) : `${least} to ${most}`;
      throw queryInvalid(column, `${text} takes ${count} arguments, not ${args.length}`);
    }
    return { kind: 'call', name, args };
  }

  /** A path; the container's name in front of it is left out: `devices.jobs.status` is `status`. */
  #path(): Path {
    const names = this.#names();
    const prefix = this.#container.split('.');
    const prefixed = names.length > prefix.length && prefix.every((name, at) => names[at]?.toLowerCase() === name);
    return prefixed ? names.slice(prefix.length) : names;
  }

  #names(): string[] {
    const first = this.#cursor.take();
    const isName = first.type === 'escaped' || (first.type === 'name' && !RESERVED.includes(first.text.toLowerCase()));
    if (!isName) throw queryInvalid(first.column, `a property, value or function expected, not ${describe(first)}`);
    const names = [first.text];
    for (;;) {
      if (this.#cursor.takeSymbol('.')) {
        const token = this.#cursor.take();
        if (token.type !== 'name' && token.type !== 'escaped') {
          throw queryInvalid(token.column, `a property name expected after the dot, not ${describe(token)}`);
        }
        names.push(token.text);
      } else if (this.#cursor.next.type === 'escaped') {
        names.push(this.#cursor.take().text);
      } else if (this.#cursor.isSymbol('[') && this.#cursor.following?.type === 'string') {
        this.#cursor.take();
        names.push(this.#cursor.take().text);
        this.#cursor.expectSymbol(']');
      } else {
        return names;
      }
    }
  }

  #deeper<T>(parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#cursor.wrong(`nested deeper than ${MAX_DEPTH}`);
    const result = parse();
    this.#depth -= 1;
    return result;
  }
}
