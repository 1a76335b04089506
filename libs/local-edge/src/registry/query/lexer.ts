import { queryInvalid } from '../../errors.ts';

export interface Token {
  /** `name`: an identifier or keyword; `escaped`: a name in `[[ ]]`; `symbol`: punctuation or an operator. */
  readonly type: 'name' | 'escaped' | 'string' | 'number' | 'symbol' | 'end';
  /** As written; without quotes and escapes for strings, without brackets for escaped names. */
  readonly text: string;
  /** Of the first character, from 1. */
  readonly column: number;
}

/** IoT Hub's own limit is not published; no condition written by hand comes near. */
const MAX_LENGTH = 8192;

const SPACE = /\s+/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const NUMBER = /0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;
const ESCAPED = /\[\[([^\][]+)\]\]/y;
const UNENDED = /\[\[(?!\[)/y;
const DOT = /\./y;
const STRING = /'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.|"")*)"/suy;
const SYMBOL = /<>|!=|<=|>=|[=<>()[\],.*+\-/%]/y;
/** A name as it may follow a dot: `tags.5g` needs no brackets. */
const NAME_AFTER_DOT = /[\p{L}\p{N}_$]+/uy;

/** Splits the text of a query. @throws VantageError EDGE_QUERY_INVALID with the column */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw queryInvalid(MAX_LENGTH + 1, `longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  let at = 0;
  const match = (rule: RegExp): RegExpExecArray | null => {
    rule.lastIndex = at;
    return rule.exec(text);
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const column = at + 1;
    const [token, length] = read(match, tokens.at(-1)) ?? [];
    if (token === undefined || length === undefined) throw queryInvalid(column, describeBad(text, at));
    tokens.push({ ...token, column });
    at += length;
  }
  tokens.push({ type: 'end', text: '', column: text.length + 1 });
  return tokens;
}

type Match = (rule: RegExp) => RegExpExecArray | null;

function read(match: Match, last: Token | undefined): [Omit<Token, 'column'>, number] | undefined {
  const escaped = match(ESCAPED);
  if (escaped !== null) return [{ type: 'escaped', text: escaped[1] ?? '' }, escaped[0].length];
  if (match(UNENDED) !== null) return undefined;
  const isPath = last?.type === 'name' || last?.type === 'escaped' || last?.text === ']';
  if (isPath && match(DOT) !== null) return [{ type: 'symbol', text: '.' }, 1];
  const name = match(last?.text === '.' ? NAME_AFTER_DOT : NAME);
  if (name !== null) return [{ type: 'name', text: name[0] }, name[0].length];
  const string = match(STRING);
  if (string !== null) return [{ type: 'string', text: unescape(string) }, string[0].length];
  const number = match(NUMBER);
  if (number !== null) return [{ type: 'number', text: number[0] }, number[0].length];
  const symbol = match(SYMBOL);
  if (symbol !== null) return [{ type: 'symbol', text: symbol[0] }, symbol[0].length];
  return undefined;
}

function unescape([whole, single, double]: RegExpExecArray): string {
  const quote = whole.slice(0, 1);
  return (single ?? double ?? '').replaceAll(quote + quote, quote).replaceAll(/\\(u[0-9a-fA-F]{4}|.)/gsu, (_, code) => {
    const text = String(code);
    if (text.length === 5) return String.fromCharCode(Number.parseInt(text.slice(1), 16));
    return { n: '\n', r: '\r', t: '\t' }[text] ?? text;
  });
}

function describeBad(text: string, at: number): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (character === "'" || character === '"') return `the string that begins with ${character} has no end`;
  if (text.startsWith('[[', at)) return 'the name that begins with [[ has no end, or is empty';
  return `unexpected character ${character}`;
}
