/** A piece of protobuf text. */
export interface PbToken {
  readonly type: 'word' | 'number' | 'string' | 'symbol' | 'end';
  /** Strings: what they stand for, escapes resolved. Everything else as written. */
  readonly text: string;
  /** One-based. */
  readonly line: number;
}

/** What stopped the reader, with its line. */
export class PbSyntaxError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const SPACE = /(?:[ \t\v\f\r\n]|#[^\n]*)*/y;
// A hyphen is no part of a name in protobuf, but people write nvinfer's `symmetric-padding`; a name says more than a sign.
const WORD = /[A-Za-z_](?:[\w]|-(?=[A-Za-z_]))*/y;
const NUMBER = /(?:0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?[fF]?|\.\d+(?:[eE][+-]?\d+)?[fF]?)(?![\w.])/y;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
};

/** Splits protobuf text into tokens. Source: "Text Format Language Specification" of protobuf.dev. */
export class PbLexer {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token; `end` for ever at the end. @throws PbSyntaxError */
  next(): PbToken {
    this.#skipSpace();
    const line = this.#line;
    const char = this.#text[this.#at];
    if (char === undefined) return { type: 'end', text: '', line };
    if (char === '"' || char === "'") return { type: 'string', text: this.#string(char), line };
    const word = this.#match(WORD);
    if (word !== undefined) return { type: 'word', text: word, line };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { type: 'number', text: number, line };
    if (!'{}<>[]:,;-./'.includes(char)) {
      throw new PbSyntaxError(line, `unexpected ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`);
    }
    this.#at += 1;
    return { type: 'symbol', text: char, line };
  }

  #skipSpace(): void {
    const space = this.#match(SPACE) ?? '';
    for (const char of space) if (char === '\n') this.#line += 1;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }

  #string(quote: string): string {
    let value = '';
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined || char === '\n') throw new PbSyntaxError(this.#line, 'a string without its end quote');
      if (char === quote) break;
      value += char === '\\' ? this.#escape() : char;
    }
    this.#at += 1;
    return value;
  }

  /** Stands on the backslash; leaves on the last character of the escape. */
  #escape(): string {
    const rest = this.#text.slice(this.#at + 1, this.#at + 10);
    const code =
      /^[0-7]{1,3}/.exec(rest)?.[0] ??
      /^[xX][\da-fA-F]{1,2}/.exec(rest)?.[0] ??
      /^(?:u[\da-fA-F]{4}|U[\da-fA-F]{8})/.exec(rest)?.[0];
    if (code !== undefined) {
      const point = /^[0-7]/.test(code) ? Number.parseInt(code, 8) : Number.parseInt(code.slice(1), 16);
      if (point > 0x10ffff) throw new PbSyntaxError(this.#line, `\\${code} is no character`);
      this.#at += code.length;
      return String.fromCodePoint(point);
    }
    const simple = ESCAPES[rest[0] ?? ''];
    if (simple === undefined) throw new PbSyntaxError(this.#line, `unknown escape \\${rest[0] ?? ''} in a string`);
    this.#at += 1;
    return simple;
  }
}
