const WHITE = /[ \t-\r]/;
const DIGITS = /(\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?/y;
/** The currency symbol of .NET's invariant culture. */
const CURRENCY = '¤';

/**
 * Reads a number as .NET's `double.TryParse(NumberStyles.Any, InvariantCulture)` does, which `as_number` is: spaces
 * around, a sign before or after (with no space after a leading one), parentheses for negative, thousands separators,
 * a currency symbol, an exponent.
 * @returns NaN when the text is no number.
 */
export function parseDotNetNumber(text: string): number {
  const number = new NumberText(text).read();
  if (!Number.isNaN(number)) return number;
  const symbol = /^([+-]?)infinity$/i.exec(text.trim());
  return symbol === null ? Number.NaN : symbol[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** The states of .NET's Number.TryParseNumber. */
class NumberText {
  readonly #text: string;
  #at = 0;
  #signed = false;
  #negative = false;
  #open = false;
  #currency = false;

  constructor(text: string) {
    this.#text = text;
  }

  read(): number {
    while (this.#takeLeading()) this.#at += 1;
    DIGITS.lastIndex = this.#at;
    const match = DIGITS.exec(this.#text);
    if (match === null) return Number.NaN;
    this.#at = DIGITS.lastIndex;
    while (this.#takeTrailing()) this.#at += 1;
    if (this.#open || !/^\0*$/.test(this.#text.slice(this.#at))) return Number.NaN;
    const value = Number(`${(match[1] ?? '').replaceAll(',', '')}e${match[2] ?? '0'}`);
    return this.#negative ? -value : value;
  }

  #takeLeading(): boolean {
    const character = this.#text[this.#at] ?? '';
    if (WHITE.test(character) && (!this.#signed || this.#currency)) return true;
    if (character === '(' && !this.#signed) {
      this.#signed = this.#negative = this.#open = true;
      return true;
    }
    return this.#takeSignOrCurrency(character);
  }

  #takeTrailing(): boolean {
    const character = this.#text[this.#at] ?? '';
    if (WHITE.test(character)) return true;
    if (character === ')' && this.#open) {
      this.#open = false;
      return true;
    }
    return this.#takeSignOrCurrency(character);
  }

  #takeSignOrCurrency(character: string): boolean {
    if ((character === '+' || character === '-') && !this.#signed) {
      this.#signed = true;
      this.#negative = character === '-';
      return true;
    }
    if (character !== CURRENCY || this.#currency) return false;
    this.#currency = true;
    return true;
  }
}
