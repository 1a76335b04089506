import { jsonSyntaxError } from './errors.ts';

/**
 * JSON that keeps what JavaScript's own loses: the order of all keys (also of those that look like integers) and the
 * spelling of numbers. Needed because a manifest must come out as iotedgedev, a Python program, writes it.
 */
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

/** A number by its source text. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get isInteger(): boolean {
    return /^-?\d+$/.test(this.text);
  }

  get value(): number {
    return Number(this.text);
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

export interface ParseOptions {
  /** Accept strings and keys in single quotes, as Json.NET (and so edgeAgent, for createOptions) does. */
  readonly singleQuotes?: boolean;
  /** Told of each key that its object has already, and where it stands again. */
  readonly onDuplicate?: (key: string, offset: number) => void;
}

/** Far deeper than any manifest; bounds the recursion on a hostile one. */
const MAX_DEPTH = 500;
const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const CONSTANTS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new JsonNumber('NaN')],
  ['Infinity', new JsonNumber('Infinity')],
  ['-Infinity', new JsonNumber('-Infinity')],
];
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/**
 * Parses a JSON text as Python's `json.loads` does, errors word for word included (users of iotedgedev know them).
 * The last of duplicate keys wins, at the place of the first.
 * @throws VantageError JSON_SYNTAX
 */
export function parseJson(text: string, options: ParseOptions = {}): Json {
  return new JsonParser(text, options).document();
}

class JsonParser {
  readonly #text: string;
  readonly #singleQuotes: boolean;
  readonly #onDuplicate: ParseOptions['onDuplicate'];
  #at = 0;
  #depth = 0;

  constructor(text: string, { singleQuotes = false, onDuplicate }: ParseOptions) {
    this.#text = text;
    this.#singleQuotes = singleQuotes;
    this.#onDuplicate = onDuplicate;
  }

  document(): Json {
    this.#skipBlanks();
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#error('Extra data', this.#at);
    return value;
  }

  #value(): Json {
    const character = this.#text[this.#at];
    if (this.#isQuote(character)) return this.#string();
    if (character === '{' || character === '[') {
      this.#depth += 1;
      if (this.#depth > MAX_DEPTH) throw this.#error('Nested too deeply', this.#at);
      this.#at += 1;
      const value = character === '{' ? this.#object() : this.#array();
      this.#depth -= 1;
      return value;
    }
    for (const [word, value] of CONSTANTS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text);
    if (number === null) throw this.#error('Expecting value', this.#at);
    this.#at = NUMBER.lastIndex;
    return new JsonNumber(number[0]);
  }

  #object(): JsonObject {
    const object: JsonObject = new Map();
    this.#skipBlanks();
    if (this.#take('}')) return object;
    for (;;) {
      if (!this.#isQuote(this.#text[this.#at])) {
        throw this.#error('Expecting property name enclosed in double quotes', this.#at);
      }
      const keyAt = this.#at;
      const key = this.#string();
      if (object.has(key)) this.#onDuplicate?.(key, keyAt);
      this.#skipBlanks();
      if (!this.#take(':')) throw this.#error("Expecting ':' delimiter", this.#at);
      this.#skipBlanks();
      object.set(key, this.#value());
      this.#skipBlanks();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#error("Expecting ',' delimiter", this.#at);
      this.#skipBlanks();
    }
  }

  #array(): Json[] {
    const array: Json[] = [];
    this.#skipBlanks();
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.#value());
      this.#skipBlanks();
      if (this.#take(']')) return array;
      if (!this.#take(',')) throw this.#error("Expecting ',' delimiter", this.#at);
      this.#skipBlanks();
    }
  }

  #string(): string {
    const start = this.#at;
    const quote = this.#text[start];
    this.#at += 1;
    let value = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('Unterminated string starting at', start);
      if (character === quote) {
        this.#at += 1;
        return value;
      }
      if (character < ' ') throw this.#error('Invalid control character at', this.#at);
      if (character === '\\') {
        value += this.#escape(start);
      } else {
        value += character;
        this.#at += 1;
      }
    }
  }

  #escape(start: number): string {
    const letter = this.#text[this.#at + 1];
    if (letter === undefined) throw this.#error('Unterminated string starting at', start);
    if (letter === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#error('Invalid \\uXXXX escape', this.#at + 1);
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const replaced = letter === "'" && !this.#singleQuotes ? undefined : ESCAPES[letter];
    if (replaced === undefined) throw this.#error('Invalid \\escape', this.#at);
    this.#at += 2;
    return replaced;
  }

  #isQuote(character: string | undefined): boolean {
    return character === '"' || (this.#singleQuotes && character === "'");
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
  }

  /** Positions count characters, not UTF-16 units, as Python does. */
  #error(problem: string, at: number): Error {
    const before = Array.from(this.#text.slice(0, at));
    const lineStart = before.lastIndexOf('\n') + 1;
    const line = before.filter((character) => character === '\n').length + 1;
    return jsonSyntaxError(problem, line, before.length - lineStart + 1, before.length);
  }
}

/** The value as plain JavaScript data, for everything that does not print it again. */
export function toPlain(value: Json): unknown {
  if (value instanceof JsonNumber) return value.value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isJsonObject(value)) return value;
  const plain: Record<string, unknown> = {};
  for (const [key, item] of value) {
    // defineProperty, so that a key "__proto__" is data.
    Object.defineProperty(plain, key, { value: toPlain(item), enumerable: true, configurable: true, writable: true });
  }
  return plain;
}

/** Plain JavaScript data as {@link Json}. */
export function fromPlain(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return new JsonNumber(String(value));
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value === 'object') return new Map(Object.entries(value).map(([key, item]) => [key, fromPlain(item)]));
  return null;
}
