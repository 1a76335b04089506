import type { Ledger } from '../ledger.ts';
import { shorten, type ConfigEntry } from '../text/entries.ts';
import {
  fieldPlaces,
  flattenProtobuf,
  pbNumber,
  type PbField,
  type PbMessage,
  type PbScalar,
} from '../text/protobuf-text.ts';
import { didYouMean } from '../text/suggest.ts';
import type { Range } from '../values.ts';

/**
 * Takes the fields of one message by name. Each field ends in the ledger: those asked for as used, or as left out with
 * the given reason; those that nobody asked for when `finish` is called.
 */
export class MessageReader {
  readonly line: number;
  readonly #fields: readonly { readonly field: PbField; readonly place: string }[];
  readonly #path: string;
  readonly #ledger: Ledger;
  readonly #known = new Set<string>();
  readonly #children: MessageReader[] = [];

  constructor(message: PbMessage, ledger: Ledger, path = '', line = 0) {
    const places = fieldPlaces(message);
    this.#fields = message.fields.map((field, index) => ({ field, place: places[index] ?? field.name }));
    this.#ledger = ledger;
    this.#path = path;
    this.line = line;
  }

  has(name: string): boolean {
    return this.#fields.some(({ field }) => field.name === name);
  }

  /** Line of the first field of this name, 0 without one. */
  lineOf(name: string): number {
    return this.#fields.find(({ field }) => field.name === name)?.field.line ?? 0;
  }

  text(name: string, reason?: string): string | undefined {
    return this.#one(name, reason, ({ type, text }) => (type === 'string' ? { value: text } : 'a string in quotes'));
  }

  number(name: string, range: Range = {}, reason?: string): number | undefined {
    return this.#one(name, reason, (scalar) => finiteNumber(scalar, range));
  }

  integer(name: string, range: Range = {}, reason?: string): number | undefined {
    return this.#one(name, reason, (scalar) => wholeNumber(scalar, range));
  }

  flag(name: string, reason?: string): boolean | undefined {
    return this.#one(name, reason, ({ type, text }) => {
      if (type !== 'string' && /^(?:true|True|t|1)$/.test(text)) return { value: true };
      return type !== 'string' && /^(?:false|False|f|0)$/.test(text) ? { value: false } : 'true or false';
    });
  }

  /** An enum: by name, or by number as protobuf allows. */
  choice<Value>(name: string, options: ReadonlyMap<string, Value>, reason?: string): Value | undefined {
    return this.#one(name, reason, (scalar) => {
      const names = [...options.keys()];
      const option = scalar.type === 'word' ? scalar.text : names[pbNumber(scalar) ?? -1];
      const known = option !== undefined && options.has(option);
      return known ? { value: options.get(option) as Value } : `one of ${names.join(', ')}`;
    });
  }

  integers(name: string, range: Range = {}, reason?: string): number[] {
    return this.#each(name, reason, (scalar) => wholeNumber(scalar, range));
  }

  numbers(name: string, reason?: string): number[] {
    return this.#each(name, reason, (scalar) => finiteNumber(scalar, {}));
  }

  /** The message field of this name; a second one is an error. */
  message(name: string): MessageReader | undefined {
    const [first, second] = this.messages(name);
    if (second) this.#problem(second.line, name, `${name} stands here twice; protobuf allows it once`);
    return first;
  }

  messages(name: string): MessageReader[] {
    this.#known.add(name);
    return this.#fields.flatMap(({ field, place }) => {
      if (field.name !== name) return [];
      if (field.value.kind === 'scalar') {
        this.#reject(this.#entry(field, field.value), `${name} is a message: write ${name} { ... }`);
        return [];
      }
      const child = new MessageReader(field.value, this.#ledger, this.#inside(place), field.line);
      this.#children.push(child);
      return [child];
    });
  }

  /** Fields that are known and have no effect here. Their values are not looked at. */
  leaveOut(reason: string, ...names: string[]): void {
    for (const name of names) this.#known.add(name);
    for (const { field, place } of this.#fields) {
      if (names.includes(field.name)) this.#leaveOutField(field, place, reason);
    }
  }

  /** Reports what nobody asked for, here and below. */
  finish(): void {
    for (const { field, place } of this.#fields) {
      if (this.#known.has(field.name)) continue;
      const where = this.#path === '' ? 'at the top of the file' : `in ${this.#path}`;
      if (field.name.startsWith('[')) {
        this.#leaveOutField(field, place, 'extensions are passed over');
        continue;
      }
      const what = `nvinferserver has no field '${shorten(field.name)}' ${where}${didYouMean(field.name, this.#known)}`;
      this.#problem(field.line, field.name, what);
      this.#leaveOutField(field, place, what);
    }
    for (const child of this.#children) child.finish();
  }

  #leaveOutField(field: PbField, place: string, reason: string): void {
    if (field.value.kind === 'scalar') this.#ledger.leaveOut(this.#entry(field, field.value), reason);
    else for (const entry of flattenProtobuf(field.value, this.#inside(place))) this.#ledger.leaveOut(entry, reason);
  }

  #one<Value>(name: string, reason: string | undefined, read: Read<Value>): Value | undefined {
    const values = this.#each(name, reason, read);
    if (values.length > 1) {
      const lines = this.#fields.filter(({ field }) => field.name === name).map(({ field }) => field.line);
      const again = `${name} is set again (lines ${lines.join(', ')}); protobuf allows it once`;
      this.#problem(lines.at(-1) ?? 0, name, again);
    }
    return values.at(-1);
  }

  #each<Value>(name: string, reason: string | undefined, read: Read<Value>): Value[] {
    this.#known.add(name);
    return this.#fields.flatMap(({ field, place }) => {
      if (field.name !== name) return [];
      if (field.value.kind === 'message') {
        this.#problem(field.line, name, `${name} is a value: write ${name}: ...`);
        this.#leaveOutField(field, place, `${name} is a value, not a message`);
        return [];
      }
      const entry = this.#entry(field, field.value);
      const result = read(field.value);
      if (typeof result === 'string') {
        this.#reject(entry, `${name}: '${shorten(field.value.text)}' is not ${result}`);
        return [];
      }
      if (reason === undefined) this.#ledger.use(entry);
      else this.#ledger.leaveOut(entry, reason);
      return [result.value];
    });
  }

  #reject(entry: ConfigEntry, wrong: string): void {
    this.#ledger.problem('error', entry, wrong);
    this.#ledger.leaveOut(entry, wrong);
  }

  #problem(line: number, key: string, message: string): void {
    this.#ledger.problem('error', { line, key }, message);
  }

  #entry(field: PbField, value: PbScalar): ConfigEntry {
    return { group: this.#path, key: field.name, value: value.text, line: field.line };
  }

  #inside(place: string): string {
    return this.#path === '' ? place : `${this.#path}.${place}`;
  }
}

/** The value, or what was expected in its place. */
type Read<Value> = (scalar: PbScalar) => { readonly value: Value } | string;

function wholeNumber(scalar: PbScalar, range: Range): { readonly value: number } | string {
  const value = pbNumber(scalar);
  return value === undefined || !Number.isSafeInteger(value) ? 'a whole number' : within(value, range);
}

function finiteNumber(scalar: PbScalar, range: Range): { readonly value: number } | string {
  const value = pbNumber(scalar);
  return value === undefined || !Number.isFinite(value) ? 'a number' : within(value, range);
}

function within(value: number, { min = -Infinity, max = Infinity }: Range): { readonly value: number } | string {
  if (value < min) return `at least ${min}`;
  return value > max ? `at most ${max}` : { value };
}
