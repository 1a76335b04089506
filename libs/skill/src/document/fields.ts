import { closest, type JsonObject } from '@vantage/contracts';
import type { SkillNode } from './document.ts';
import { quote, type Issues } from './issue.ts';
import { referencesIn } from './parameters.ts';

/**
 * The configuration of one node, field by field, with parameters put in. Values are text; what a field should be is
 * checked when it is asked for. Issues name the node and the field.
 */
export class Fields {
  readonly #node: SkillNode;
  readonly #written: SkillNode;
  readonly #issues: Issues;
  readonly #asked = new Set<string>();

  /** @param written the node before parameters were put in: what a parameter says can be another thing elsewhere */
  constructor(node: SkillNode, written: SkillNode, issues: Issues) {
    this.#node = node;
    this.#written = written;
    this.#issues = issues;
  }

  /** Whether the field says anything. */
  has(key: string): boolean {
    return this.#value(key) !== undefined;
  }

  text(key: string): string | undefined {
    return this.#value(key);
  }

  required(key: string, what: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined) this.error(key, `is missing: ${what}`);
    return value;
  }

  /** @param bounds both ends included */
  number(key: string, fallback: number, bounds: { readonly min: number; readonly max: number }, unit = ''): number {
    return this.optionalNumber(key, bounds, unit) ?? fallback;
  }

  optionalNumber(
    key: string,
    { min, max }: { readonly min: number; readonly max: number },
    unit = '',
  ): number | undefined {
    const text = this.#value(key);
    if (text === undefined) return undefined;
    const value = numberIn(text);
    if (value !== undefined && value >= min && value <= max) return value;
    this.error(key, `expected a number from ${min} to ${max}${unit && ` ${unit}`}, found ${quote(text)}`);
    return undefined;
  }

  whole(key: string, fallback: number, bounds: { readonly min: number; readonly max: number }, unit = ''): number {
    const value = this.optionalNumber(key, bounds, unit) ?? fallback;
    if (Number.isInteger(value)) return value;
    this.error(key, `expected a whole number, found ${value}`);
    return fallback;
  }

  flag(key: string, fallback: boolean): boolean {
    const text = this.#value(key)?.toLowerCase();
    if (text === undefined) return fallback;
    if (text !== 'true' && text !== 'false') this.error(key, `expected true or false, found ${quote(text)}`);
    return text === 'true' || (text !== 'false' && fallback);
  }

  choice<T extends string>(key: string, choices: readonly T[], fallback: T): T {
    const text = this.#value(key);
    if (text === undefined) return fallback;
    const found = choices.find((one) => one.toLowerCase() === text.toLowerCase());
    if (found === undefined) this.error(key, `expected one of ${choices.join(', ')}, found ${quote(text)}`);
    return found ?? fallback;
  }

  /** A JSON value. JSON only: nothing in a document is ever run (the reference evaluates it as Python). */
  json(key: string, what: string): { readonly value: unknown } | undefined {
    const text = this.#value(key);
    if (text === undefined) return undefined;
    try {
      return { value: JSON.parse(text) as JsonObject };
    } catch {
      this.error(key, `is no JSON; write ${what}`);
      return undefined;
    }
  }

  error(key: string, message: string, atRunTime?: string): void {
    const fallback = atRunTime === undefined ? {} : { atRunTime };
    this.#issues.add({ severity: 'error', ...this.#place(key), message: this.#withValue(key, message), ...fallback });
  }

  warn(key: string, message: string): void {
    this.#issues.add({ severity: 'warning', ...this.#place(key), message: this.#withValue(key, message) });
  }

  /** Fields that nobody has asked for: misspelt, or of another version. */
  unknown(): void {
    for (const key of this.#node.configurations.keys()) {
      if (this.#asked.has(key)) continue;
      const similar = closest(key, this.#asked);
      this.warn(
        key,
        `is not known and has no effect${similar === undefined ? '' : `; did you mean ${quote(similar)}?`}`,
      );
    }
  }

  /** Fields of other implementations that have no effect here. */
  ignore(...keys: readonly string[]): void {
    for (const key of keys) this.#asked.add(key);
  }

  /** Blank is absent, as an empty box of a form is. */
  #value(key: string): string | undefined {
    this.#asked.add(key);
    const text = this.#node.configurations.get(key)?.trim();
    return text === undefined || text === '' ? undefined : text;
  }

  #place(key: string): { readonly node: string; readonly path: string } {
    const { id, path } = this.#node;
    return { node: id, path: key === '' ? path : `${path}.configurations.${key}` };
  }

  /** Where a parameter gave the value, the mistake may be in the instance. */
  #withValue(key: string, message: string): string {
    const names = referencesIn(this.#written.configurations.get(key) ?? '');
    return names.length === 0 ? message : `${message} (from ${names.map((name) => `$param(${name})`).join(', ')})`;
  }
}

/** A decimal number; no hexadecimal, no empty text, nothing infinite. */
export function numberIn(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
