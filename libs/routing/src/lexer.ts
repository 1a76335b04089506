/** Token types of edgeHub's GrammarLexer.g4; punctuation and operators are their own text. */
export type TokenType =
  | 'SELECT'
  | 'FROM'
  | 'WHERE'
  | 'INTO'
  | 'STRING'
  | 'UNTERMINATED_STRING'
  | 'INTEGER'
  | 'HEX'
  | 'REAL'
  | 'TRUE'
  | 'FALSE'
  | 'NULL'
  | 'UNDEFINED'
  | 'AND'
  | 'OR'
  | 'NOT'
  | 'SYS_PROP'
  | 'ID'
  | 'QUERY_PATH'
  | 'UNKNOWN'
  | 'EOF'
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '='
  | '!='
  | '<>'
  | '<='
  | '>='
  | '>'
  | '<'
  | '||'
  | '??';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** Offset of the first character. */
  readonly start: number;
  /** Offset after the last character. */
  readonly end: number;
}

const STRING_BODY = {
  '"': String.raw`"(?:\\(?:["'\\]|u[0-9a-fA-F]{4})|[^"\\])*`,
  "'": String.raw`'(?:\\(?:["'\\]|u[0-9a-fA-F]{4})|[^'\\])*`,
};

const COMMENT = /\/\*[\s\S]*?\*\//y;

/**
 * The rules in the order of GrammarLexer.g4. Longest match wins, the earlier rule on a tie: that is why `a+b` and `&&`
 * are single identifiers, and why `'x'and` is one too.
 */
const RULES: readonly (readonly [TokenType | 'SKIP', RegExp])[] = [
  ['{', /\{/y],
  ['}', /\}/y],
  ['SELECT', /select/iy],
  ['FROM', /from/iy],
  ['WHERE', /where/iy],
  ['INTO', /into/iy],
  ['STRING', new RegExp(`${STRING_BODY['"']}"`, 'y')],
  ['STRING', new RegExp(`${STRING_BODY["'"]}'`, 'y')],
  ['UNTERMINATED_STRING', new RegExp(STRING_BODY['"'], 'y')],
  ['UNTERMINATED_STRING', new RegExp(STRING_BODY["'"], 'y')],
  ['INTEGER', /-?[0-9]+/y],
  ['HEX', /0[xX][0-9a-fA-F]+/y],
  ['REAL', /-?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?/y],
  ['REAL', /-?[0-9]*[eE][+-]?[0-9]+/y],
  ['TRUE', /true/y],
  ['FALSE', /false/y],
  ['NULL', /null/y],
  ['UNDEFINED', /undefined/y],
  ['(', /\(/y],
  [')', /\)/y],
  [',', /,/y],
  ['+', /\+/y],
  ['-', /-/y],
  ['*', /\*/y],
  ['/', /\//y],
  ['%', /%/y],
  ['AND', /and/iy],
  ['OR', /or/iy],
  ['NOT', /not/iy],
  ['=', /=/y],
  ['!=', /!=/y],
  ['<>', /<>/y],
  ['<=', /<=/y],
  ['>=', />=/y],
  ['>', />/y],
  ['<', /</y],
  ['||', /\|\|/y],
  ['??', /\?\?/y],
  ['SYS_PROP', /\$[^()<>@,;:\\"/?={} \t\n\r]+/y],
  ['ID', /[^()<>@,;:\\"/[\]?={} \t\n\r]+/y],
  ['QUERY_PATH', /[^()<>@,;:\\"/?={} \t\n\r]+/y],
  ['SKIP', /[ \t\r\n]+/y],
  ['SKIP', COMMENT],
  ['UNKNOWN', /[\s\S]/y],
];

/** Splits a route or condition into tokens, the last of which is `EOF`. Never throws: what fits no rule is `UNKNOWN`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  // Behind it no comment ends: each of many that begin there would be searched for its end through all of the text.
  const lastCommentEnd = text.lastIndexOf('*/');
  let at = 0;
  while (at < text.length) {
    let type: TokenType | 'SKIP' = 'UNKNOWN';
    let end = at;
    for (const [candidate, pattern] of RULES) {
      if (pattern === COMMENT && at > lastCommentEnd) continue;
      pattern.lastIndex = at;
      if (pattern.test(text) && pattern.lastIndex > end) {
        type = candidate;
        end = pattern.lastIndex;
      }
    }
    if (type !== 'SKIP') tokens.push({ type, text: text.slice(at, end), start: at, end });
    at = end;
  }
  tokens.push({ type: 'EOF', text: '', start: at, end: at });
  return tokens;
}
