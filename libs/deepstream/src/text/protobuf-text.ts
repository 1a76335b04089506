import type { ConfigProblem } from '../report.ts';
import { MAX_DEPTH, MAX_ENTRIES, shorten, unreadable, type ConfigEntry } from './entries.ts';
import { PbLexer, PbSyntaxError, type PbToken } from './protobuf-lexer.ts';

/** A value: what the schema makes of it is not known here. */
export interface PbScalar {
  readonly kind: 'scalar';
  readonly type: 'string' | 'number' | 'word';
  /** Strings without quotes and escapes; numbers and words as written, with their sign. */
  readonly text: string;
}

export interface PbMessage {
  readonly kind: 'message';
  readonly fields: readonly PbField[];
}

export interface PbField {
  /** `[package.extension]` with its brackets for an extension. */
  readonly name: string;
  /** One-based. */
  readonly line: number;
  readonly value: PbScalar | PbMessage;
}

export interface PbText {
  readonly root: PbMessage;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads the protobuf text format without a schema: messages in `{}` or `<>`, `:` optional before them, lists in `[]`
 * (which become repeated fields), `,` or `;` between fields, comments, strings that are put together, extensions.
 *
 * Written here because no library of npm gives the line of a field. As the format has no place to go on after an
 * error, the first one ends reading; what was read until then is kept.
 *
 * Source: "Text Format Language Specification", protobuf.dev.
 *
 * @param file for messages only
 */
export function readProtobufText(text: string, file: string): PbText {
  const refused = unreadable(text);
  if (refused !== undefined) {
    const problem = { severity: 'error' as const, file, line: 0, key: '', message: refused };
    return { root: { kind: 'message', fields: [] }, problems: [problem] };
  }
  const fields: PbField[] = [];
  try {
    new Parser(text.replace(/^\uFEFF/, '')).fields(fields, undefined, 0);
  } catch (error) {
    if (!(error instanceof PbSyntaxError)) throw error;
    const message = `${error.message}; the file is not read beyond this line`;
    return {
      root: { kind: 'message', fields },
      problems: [{ severity: 'error', file, line: error.line, key: '', message }],
    };
  }
  return { root: { kind: 'message', fields }, problems: [] };
}

/** The scalars as properties in groups with a path: `infer_config.backend`, `infer_config.backend.inputs[0]`. */
export function flattenProtobuf(message: PbMessage, path = ''): ConfigEntry[] {
  const places = fieldPlaces(message);
  return message.fields.flatMap((field, index) => {
    const name = places[index] ?? field.name;
    if (field.value.kind === 'message') return flattenProtobuf(field.value, path === '' ? name : `${path}.${name}`);
    return [{ group: path, key: field.name, value: field.value.text, line: field.line }];
  });
}

/** The name of each field, with a number where a message field is repeated. */
export function fieldPlaces({ fields }: PbMessage): string[] {
  const counts = new Map<string, number>();
  for (const { name, value } of fields) {
    if (value.kind === 'message') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  return fields.map(({ name, value }) => {
    if (value.kind !== 'message' || (counts.get(name) ?? 0) < 2) return name;
    const index = seen.get(name) ?? 0;
    seen.set(name, index + 1);
    return `${name}[${index}]`;
  });
}

class Parser {
  readonly #lexer: PbLexer;
  #token: PbToken;
  #count = 0;

  constructor(text: string) {
    this.#lexer = new PbLexer(text);
    this.#token = this.#lexer.next();
  }

  /** Reads fields up to the closing bracket, or the end of the text. Fills the list as it goes. */
  fields(into: PbField[], close: string | undefined, depth: number): void {
    if (depth > MAX_DEPTH) throw new PbSyntaxError(this.#token.line, `messages are nested more than ${MAX_DEPTH} deep`);
    for (;;) {
      if (this.#token.type === 'end') {
        if (close === undefined) return;
        throw new PbSyntaxError(this.#token.line, `'${close}' is missing at the end of the file`);
      }
      if (close !== undefined && this.#is(close)) {
        this.#advance();
        return;
      }
      this.#field(into, depth);
      if (this.#is(',') || this.#is(';')) this.#advance();
    }
  }

  #field(into: PbField[], depth: number): void {
    this.#count += 1;
    const { line } = this.#token;
    if (this.#count > MAX_ENTRIES) throw new PbSyntaxError(line, `more than ${MAX_ENTRIES} fields`);
    const name = this.#name();
    const colon = this.#is(':');
    if (colon) this.#advance();
    if (this.#is('[')) this.#list(into, name, depth);
    else if (this.#is('{') || this.#is('<')) this.#message(into, name, line, depth);
    else if (colon) into.push({ name, line, value: this.#scalar() });
    else
      throw new PbSyntaxError(this.#token.line, `':' or '{' must follow '${shorten(name)}', not ${this.#describe()}`);
  }

  #name(): string {
    if (this.#token.type === 'word') return this.#advance().text;
    if (!this.#is('[')) throw new PbSyntaxError(this.#token.line, `a field name was expected, not ${this.#describe()}`);
    let name = '';
    while (!this.#is(']')) {
      if (this.#token.type === 'end') throw new PbSyntaxError(this.#token.line, "']' is missing after an extension");
      name += this.#advance().text;
    }
    this.#advance();
    return `${name}]`;
  }

  #list(into: PbField[], name: string, depth: number): void {
    this.#advance();
    while (!this.#is(']')) {
      const { line } = this.#token;
      this.#count += 1;
      if (this.#count > MAX_ENTRIES) throw new PbSyntaxError(line, `more than ${MAX_ENTRIES} fields`);
      if (this.#is('{') || this.#is('<')) this.#message(into, name, line, depth);
      else into.push({ name, line, value: this.#scalar() });
      if (this.#is(',')) this.#advance();
      else if (!this.#is(']')) {
        throw new PbSyntaxError(this.#token.line, `',' or ']' was expected in the list, not ${this.#describe()}`);
      }
    }
    this.#advance();
  }

  #message(into: PbField[], name: string, line: number, depth: number): void {
    const close = this.#advance().text === '{' ? '}' : '>';
    const fields: PbField[] = [];
    // Pushed before it is read, so that what stands before an error is kept.
    into.push({ name, line, value: { kind: 'message', fields } });
    this.fields(fields, close, depth + 1);
  }

  #scalar(): PbScalar {
    if (this.#token.type === 'string') {
      let text = '';
      while (this.#token.type === 'string') text += this.#advance().text;
      return { kind: 'scalar', type: 'string', text };
    }
    const sign = this.#is('-') ? this.#advance().text : '';
    const { type } = this.#token;
    if (type !== 'number' && type !== 'word') {
      throw new PbSyntaxError(this.#token.line, `a value was expected, not ${this.#describe()}`);
    }
    return { kind: 'scalar', type, text: sign + this.#advance().text };
  }

  #is(symbol: string): boolean {
    return this.#token.type === 'symbol' && this.#token.text === symbol;
  }

  #advance(): PbToken {
    const token = this.#token;
    this.#token = this.#lexer.next();
    return token;
  }

  #describe(): string {
    return this.#token.type === 'end' ? 'the end of the file' : `'${this.#token.text.slice(0, 40)}'`;
  }
}

/** The number a scalar stands for: decimal, `0x` and `0` octal, a float with or without `f`, `inf` and `nan`. */
export function pbNumber({ type, text }: PbScalar): number | undefined {
  const negative = text.startsWith('-');
  const plain = negative ? text.slice(1) : text;
  const sign = negative ? -1 : 1;
  if (type === 'word') {
    if (/^inf(?:inity)?f?$/i.test(plain)) return sign * Infinity;
    return /^nanf?$/i.test(plain) ? NaN : undefined;
  }
  if (type !== 'number') return undefined;
  if (/^0[xX]/.test(plain)) return sign * Number.parseInt(plain.slice(2), 16);
  if (/^0[0-7]+$/.test(plain)) return sign * Number.parseInt(plain, 8);
  return sign * Number(plain.replace(/[fF]$/, ''));
}
