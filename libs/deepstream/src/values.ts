import { listItems, shorten } from './text/entries.ts';

/** A spec in the making. */
export type Draft<Spec> = { -readonly [Key in keyof Spec]: Spec[Key] };

/** Takes a value into the draft; returns what is wrong with it, or undefined. */
export type Setter<Target> = (target: Target, value: string) => string | undefined;

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

function outside(value: number, { min = -Infinity, max = Infinity }: Range): string | undefined {
  if (value < min) return `${value} is less than ${min}`;
  return value > max ? `${value} is more than ${max}` : undefined;
}

/** GLib reads a number up to white space and refuses what else follows it. */
export function readNumber(text: string): number | undefined {
  const [token = ''] = text.split(/\s/, 1);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(token)) return undefined;
  const value = Number(token);
  return Number.isFinite(value) ? value : undefined;
}

/** The numbers of a `;` list, or undefined when one of them is none. */
export function readNumbers(text: string): number[] | undefined {
  const items = listItems(text);
  const values = items.map(readNumber).filter((value) => value !== undefined);
  return values.length === items.length ? values : undefined;
}

/** Class ids, sources and the like: whole numbers from `min` on. */
export function integers<Target>(min: number, assign: (target: Target, value: number[]) => void): Setter<Target> {
  return (target, text) => {
    const values = readNumbers(text);
    if (values === undefined || !values.every(Number.isSafeInteger)) {
      return `'${shorten(text)}' is not a list of whole numbers with ';' between them`;
    }
    const wrong = values.find((value) => value < min);
    if (wrong !== undefined) return `${wrong} is less than ${min}`;
    assign(target, values);
    return undefined;
  };
}

export function number<Target>(range: Range, assign: (target: Target, value: number) => void): Setter<Target> {
  return (target, text) => {
    const value = readNumber(text);
    if (value === undefined) return `'${shorten(text)}' is not a number`;
    const wrong = outside(value, range);
    if (wrong === undefined) assign(target, value);
    return wrong;
  };
}

export function integer<Target>(range: Range, assign: (target: Target, value: number) => void): Setter<Target> {
  return (target, text) => {
    const value = readNumber(text);
    if (value === undefined || !Number.isSafeInteger(value)) return `'${shorten(text)}' is not a whole number`;
    const wrong = outside(value, range);
    if (wrong === undefined) assign(target, value);
    return wrong;
  };
}

export function flag<Target>(assign: (target: Target, value: boolean) => void): Setter<Target> {
  return (target, text) => {
    const [token = ''] = text.toLowerCase().split(/\s/, 1);
    if (token === '1' || token === 'true') assign(target, true);
    else if (token === '0' || token === 'false') assign(target, false);
    else return `'${shorten(text)}' is neither 0 nor 1`;
    return undefined;
  };
}

export function string<Target>(assign: (target: Target, value: string) => void): Setter<Target> {
  return (target, text) => {
    if (text === '') return 'the value is empty';
    assign(target, text);
    return undefined;
  };
}

export function strings<Target>(assign: (target: Target, value: string[]) => void): Setter<Target> {
  return (target, text) => {
    assign(target, listItems(text));
    return undefined;
  };
}

/** @param lengths how many there may be; empty for any number */
export function numbers<Target>(
  lengths: readonly number[],
  assign: (target: Target, value: number[]) => void,
): Setter<Target> {
  return (target, text) => {
    const values = readNumbers(text);
    if (values === undefined) return `'${shorten(text)}' is not a list of numbers with ';' between them`;
    if (lengths.length > 0 && !lengths.includes(values.length)) {
      return `'${shorten(text)}' has ${values.length} numbers, not ${lengths.join(' or ')}`;
    }
    assign(target, values);
    return undefined;
  };
}

export function choice<Target, Value>(
  options: ReadonlyMap<string, Value>,
  assign: (target: Target, value: Value) => void,
): Setter<Target> {
  return (target, text) => {
    const [token = ''] = text.split(/\s/, 1);
    const value = options.get(token);
    if (value === undefined) {
      const known = [...options].map(([key, meaning]) => `${key} (${String(meaning)})`).join(', ');
      return `'${shorten(text)}' is none of ${known}`;
    }
    assign(target, value);
    return undefined;
  };
}
