import { InvalidArgumentError } from 'commander';

/** Node's longest timer is 25 days. */
const MAX_SECONDS = 2_000_000;
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** A port; 0 is any free one. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It is a port, 0 to 65535.');
  return Number(text);
}

/** A time in seconds, or with its unit: `90`, `90s`, `1.5m`, `1h`. Yields seconds. */
export function seconds(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text.trim()) ?? [];
  const value = Number(digits) * (UNITS[unit] ?? 0);
  if (!(value > 0 && value <= MAX_SECONDS)) {
    throw new InvalidArgumentError('It is a number of seconds, or a time such as 90s, 5m or 1h.');
  }
  return value;
}

/** A number of a range, both ends in it. */
export function number(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It is a number ${range(least, most)}.`);
    }
    return value;
  };
}

/** A whole number of a range, both ends in it. */
export function wholeNumber(least: number, most = 999_999_999): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a whole number ${range(least, most)}.`);
    }
    return value;
  };
}

function range(least: number, most: number): string {
  return most >= 999_999_999 ? `from ${least} on` : `from ${least} to ${most}`;
}

/** `name=value`, for options that may be repeated. */
export function pair(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is of the form name=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** For options that may be repeated. */
export function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}
