const NUMBER = /^(\d[\d,]*(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?$/;

/**
 * Reads a number as .NET's `double.TryParse(NumberStyles.Any, InvariantCulture)` does, which `as_number` is: spaces
 * around, a sign before or after, parentheses for negative, thousands separators, exponent.
 * @returns NaN when the text is no number.
 */
export function parseDotNetNumber(text: string): number {
  let rest = text.replace(/^[ \t-\r]+|[ \t-\r]+$/g, '');
  const special = /^([+-]?)(infinity|nan|∞)$/i.exec(rest);
  if (special !== null) {
    if (/nan/i.test(rest)) return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  let sign = 1;
  const parenthesised = /^\((.*)\)$/s.exec(rest);
  if (parenthesised !== null) {
    sign = -1;
    rest = (parenthesised[1] ?? '').trim();
  } else {
    const signed = /^([+-])\s*(.*)$/s.exec(rest) ?? swap(/^(.*?)\s*([+-])$/s.exec(rest));
    if (signed !== null) {
      sign = signed[1] === '-' ? -1 : 1;
      rest = signed[2] ?? '';
    }
  }
  rest = rest.replace(/^¤\s*|\s*¤$/, '');
  const match = NUMBER.exec(rest);
  if (match === null) return Number.NaN;
  return sign * Number(`${(match[1] ?? '').replaceAll(',', '')}e${match[2] ?? '0'}`);
}

function swap(match: RegExpExecArray | null): readonly (string | undefined)[] | null {
  return match === null ? null : [match[0], match[2], match[1]];
}
