import { queryInvalid } from '../../errors.ts';
import { tokenize, type Token } from './lexer.ts';

/** Walks over the tokens of a query. What is not as expected throws EDGE_QUERY_INVALID with the column. */
export class TokenCursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  /** The token after the next. */
  get following(): Token | undefined {
    return this.#tokens[this.#at + 1];
  }

  /** Not taken yet. */
  get next(): Token {
    return this.#tokens[this.#at] ?? { type: 'end', text: '', column: 0 };
  }

  take(): Token {
    const token = this.next;
    if (token.type !== 'end') this.#at += 1;
    return token;
  }

  isWord(word: string): boolean {
    return this.next.type === 'name' && this.next.text.toLowerCase() === word;
  }

  takeWord(word: string): boolean {
    const found = this.isWord(word);
    if (found) this.take();
    return found;
  }

  expectWord(word: string): void {
    if (!this.takeWord(word)) throw this.wrong(`${word.toUpperCase()} expected, not ${describe(this.next)}`);
  }

  isSymbol(symbol: string): boolean {
    return this.next.type === 'symbol' && this.next.text === symbol;
  }

  takeSymbol(symbol: string): boolean {
    const found = this.isSymbol(symbol);
    if (found) this.take();
    return found;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.wrong(`${symbol} expected, not ${describe(this.next)}`);
  }

  /** An error at the next token. */
  wrong(reason: string): Error {
    return queryInvalid(this.next.column, reason);
  }

  /** Parses once more from an earlier position, then goes on here. */
  again<T>(at: number, parse: () => T): T {
    const here = this.#at;
    this.#at = at;
    const result = parse();
    this.#at = here;
    return result;
  }

  get position(): number {
    return this.#at;
  }
}

/** A token as an error names it. */
export function describe(token: Token): string {
  if (token.type === 'end') return 'the end';
  return token.type === 'string' ? `'${token.text}'` : token.text;
}
