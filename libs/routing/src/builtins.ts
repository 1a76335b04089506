import { MISSING, NULL_TEXT } from './body.ts';
import type { MessageView } from './message.ts';
import { parseDotNetNumber } from './number-text.ts';
import { type StaticType, type Typed, type Value, fits, isDefined, toBody } from './values.ts';

/**
 * The functions of the condition language. Each takes its compiled arguments and gives the compiled call, or undefined
 * when number or types of the arguments are wrong. Functions that accept body values see every argument as one, so a
 * property without value arrives as NULL_TEXT and an undefined number as undefined.
 */
type Builtin = (args: readonly Typed[]) => Typed | undefined;

type Text = string | typeof NULL_TEXT;

/** A function over arguments of fixed types, body values welcome. */
function simple(wanted: readonly StaticType[], type: StaticType, apply: (...values: Value[]) => Value): Builtin {
  return (args) => {
    if (args.length !== wanted.length || !wanted.every((want, i) => fits(want, args[i]?.type ?? 'undefined'))) {
      return undefined;
    }
    const [first, second, third] = args.map((arg) => toBody(arg).run);
    // Written out by arity: spreading would allocate on every message.
    if (first === undefined) return undefined;
    if (second === undefined) return { type, run: (view) => apply(first(view)) };
    if (third === undefined) return { type, run: (view) => apply(first(view), second(view)) };
    return { type, run: (view) => apply(first(view), second(view), third(view)) };
  };
}

function math(apply: (x: number) => number): Builtin {
  return simple(['number'], 'number', (x) => (typeof x === 'number' ? apply(x) : Number.NaN));
}

function ofText(type: StaticType, apply: (text: string) => Value, otherwise: Value): Builtin {
  return simple(['string'], type, (text) => (typeof text === 'string' ? apply(text) : otherwise));
}

function ofTexts(type: StaticType, apply: (text: string, part: string) => Value, otherwise: Value): Builtin {
  return simple(['string', 'string'], type, (text, part) =>
    typeof text === 'string' && typeof part === 'string' ? apply(text, part) : otherwise,
  );
}

/** Tries signatures in order, as edgeHub's executors are tried. */
function firstOf(...signatures: readonly Builtin[]): Builtin {
  return (args) => {
    for (const signature of signatures) {
      const call = signature(args);
      if (call !== undefined) return call;
    }
    return undefined;
  };
}

/** One argument of any type, and always the same answer. */
function anyOne(answer: boolean): Builtin {
  return (args) => (args.length === 1 ? { type: 'bool', run: () => answer } : undefined);
}

/** One argument of exactly this type, its value taken as it is. */
function exactly(wanted: StaticType, apply: (value: Value) => Value, type: StaticType = 'bool'): Builtin {
  return ([arg, ...rest]) => {
    if (arg?.type !== wanted || rest.length > 0) return undefined;
    const { run } = arg;
    return { type, run: (view) => apply(run(view)) };
  };
}

function isDefinedCall(args: readonly Typed[]): Typed | undefined {
  const [arg] = args;
  if (arg === undefined || args.length !== 1) return undefined;
  const { type, run } = arg;
  if (type === 'undefined' || type === 'null') return { type: 'bool', run: () => type === 'null' };
  return { type: 'bool', run: (view) => isDefined(type, run(view)) };
}

/** Two or more strings; a property without value counts as ''. */
function concat(args: readonly Typed[]): Typed | undefined {
  if (args.length < 2 || !args.every((arg) => arg.type === 'string' || arg.type === 'body')) return undefined;
  const runs = args.map((arg) => toBody(arg).run);
  return { type: 'string', run: (view) => join(runs, view) };
}

function join(runs: readonly Typed['run'][], view: MessageView): string | undefined {
  let text = '';
  for (const run of runs) {
    const part = run(view);
    if (part === NULL_TEXT) continue;
    if (typeof part !== 'string') return undefined;
    text += part;
  }
  return text;
}

/** `substring(s, 3)` of three characters is '', but `substring(s, 3, 0)` is undefined: edgeHub tests them differently. */
function substringFrom(text: Value, start: Value): string | undefined {
  if (typeof text !== 'string' || typeof start !== 'number') return undefined;
  return start >= 0 && start <= text.length ? text.slice(Math.trunc(start)) : undefined;
}

function substringOf(text: Value, start: Value, length: Value): string | undefined {
  if (typeof text !== 'string' || typeof start !== 'number' || typeof length !== 'number') return undefined;
  if (!(start >= 0 && start < text.length && length >= 0 && length <= text.length - start)) return undefined;
  const from = Math.trunc(start);
  return text.slice(from, from + Math.trunc(length));
}

/** IEEE 754 pow, as .NET has it; JavaScript gives NaN for one to the infinite. */
function power(x: Value, y: Value): number {
  if (typeof x !== 'number' || typeof y !== 'number') return Number.NaN;
  return Math.abs(x) === 1 && Math.abs(y) === Number.POSITIVE_INFINITY ? 1 : x ** y;
}

/** Invariant casing changes characters one by one: no `ß` to `SS`. */
function caseOf(change: (text: string) => string): (text: string) => string {
  return (text) => {
    const changed = change(text);
    if (changed.length === text.length) return changed;
    return Array.from(text, (character) => {
      const other = change(character);
      return other.length === character.length ? other : character;
    }).join('');
  };
}

function isText(value: Value): value is Text {
  return typeof value === 'string' || value === NULL_TEXT;
}

const upper = caseOf((text) => text.toUpperCase());
const lower = caseOf((text) => text.toLowerCase());

/** By name in lower case; conditions may write any case. */
export const BUILTINS: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['abs', math(Math.abs)],
  ['exp', math(Math.exp)],
  ['power', simple(['number', 'number'], 'number', power)],
  ['square', math((x) => x * x)],
  ['ceiling', math(Math.ceil)],
  ['floor', math(Math.floor)],
  ['sign', math(Math.sign)],
  ['sqrt', math(Math.sqrt)],
  [
    'as_number',
    firstOf(
      simple(['string'], 'number', (value) => {
        if (typeof value === 'string') return parseDotNetNumber(value);
        return typeof value === 'number' ? value : Number.NaN;
      }),
      ([arg, ...rest]) => (arg?.type === 'number' && rest.length === 0 ? arg : undefined),
    ),
  ],
  [
    'is_bool',
    // An undefined argument of a fitting type leaves it undefined, not false.
    firstOf(
      simple(['bool'], 'bool', (value) => (value === undefined ? undefined : typeof value === 'boolean')),
      anyOne(false),
    ),
  ],
  ['is_defined', isDefinedCall],
  [
    'is_null',
    // For a body value edgeHub compares references, so every present value counts as null and a missing one does not.
    firstOf(
      exactly('string', (value) => value === null),
      exactly('body', (value) => (value === undefined ? undefined : value !== MISSING)),
      exactly('null', () => true),
      anyOne(false),
    ),
  ],
  ['is_number', firstOf(simple(['number'], 'bool', Number.isFinite), anyOne(false))],
  [
    'is_string',
    firstOf(
      simple(['string'], 'bool', (value) => isText(value) && value !== NULL_TEXT),
      anyOne(false),
    ),
  ],
  ['concat', concat],
  ['length', ofText('number', (text) => text.length, Number.NaN)],
  ['lower', ofText('string', lower, undefined)],
  ['upper', ofText('string', upper, undefined)],
  [
    'substring',
    firstOf(
      simple(['string', 'number'], 'string', substringFrom),
      simple(['string', 'number', 'number'], 'string', substringOf),
    ),
  ],
  ['index_of', ofTexts('number', (text, part) => text.indexOf(part), Number.NaN)],
  ['starts_with', ofTexts('bool', (text, part) => text.startsWith(part), undefined)],
  ['ends_with', ofTexts('bool', (text, part) => text.endsWith(part), undefined)],
  ['contains', ofTexts('bool', (text, part) => text.includes(part), undefined)],
]);
