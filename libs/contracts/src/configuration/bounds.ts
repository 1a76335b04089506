import { isObject } from '../json.ts';

/** Far above any real configuration: IoT Hub allows 32 KB of desired properties and ten levels. */
const LIMITS = { depth: 32, values: 100_000, characters: 2_000_000 } as const;

/** Why a document is too big to be looked at, or undefined. Stops counting at the limit; does not recurse. */
export function tooBig(document: unknown): string | undefined {
  let values = 0;
  let characters = 0;
  const waiting: { value: unknown; depth: number }[] = [{ value: document, depth: 1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    values += 1;
    if (depth > LIMITS.depth) return `it is nested more than ${LIMITS.depth} levels deep`;
    if (values > LIMITS.values) return `it holds more than ${LIMITS.values} values`;
    if (typeof value === 'string') characters += value.length;
    const children = Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : [];
    if (isObject(value)) for (const key of Object.keys(value)) characters += key.length;
    if (characters > LIMITS.characters) return `it holds more than ${LIMITS.characters} characters`;
    if (children.length > LIMITS.values) return `it holds more than ${LIMITS.values} values`;
    for (const child of children) waiting.push({ value: child, depth: depth + 1 });
  }
  return undefined;
}
