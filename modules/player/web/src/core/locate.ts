/** A key of an object or an index of a list. */
export type Step = string | number;

/** `azdaConfiguration.components.sensors[0].name` into its steps; names that are no identifiers stand in quotes. */
export function stepsOf(path: string): Step[] {
  const steps: Step[] = [];
  const pattern = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]|([^.[\]]+)/g;
  for (const [, index, double, single, name] of path.matchAll(pattern)) {
    steps.push(index === undefined ? (double ?? single ?? name ?? '') : Number(index));
  }
  return steps;
}

/** The other way round. */
export function pathOf(steps: readonly Step[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`;
    if (!/^[A-Za-z_$][\w$-]*$/.test(step)) return `${path}[${JSON.stringify(step)}]`;
    return path === '' ? step : `${path}.${step}`;
  }, '');
}

export function valueAt(root: unknown, steps: readonly Step[]): unknown {
  return steps.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return typeof step === 'number' ? (value as unknown[])[step] : undefined;
    return isRecord(value) ? value[String(step)] : undefined;
  }, root);
}

/** A copy with another value at a place; undefined takes the key or item away. Objects on the way are made. */
export function withValue(root: unknown, steps: readonly Step[], value: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(root) ? (root as unknown[]) : [];
    if (rest.length === 0 && value === undefined) return list.toSpliced(step, 1);
    const copy = [...list];
    copy[step] = withValue(copy[step], rest, value);
    return copy;
  }
  const object = isRecord(root) ? root : {};
  const inner = withValue(object[step], rest, value);
  const entries = Object.entries(object).filter(([key]) => key !== step || inner !== undefined);
  const merged = entries.map(([key, old]): [string, unknown] => [key, key === step ? inner : old]);
  if (inner !== undefined && !Object.hasOwn(object, step)) merged.push([step, inner]);
  return Object.fromEntries(merged);
}

/**
 * Where the value of a path begins in a JSON text: its offset, or that of the nearest thing around it that is there.
 * The text must be JSON.
 */
export function locate(text: string, path: string): number {
  const wanted = stepsOf(path);
  let at = 0;
  let best = 0;

  const blank = (): void => {
    while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  };
  const string = (): string => {
    const from = at;
    at += 1;
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at += 1;
    return JSON.parse(text.slice(from, at)) as string;
  };
  /** Walks over a value; `depth` steps of the path led here, or -1 when they did not. */
  const value = (depth: number): void => {
    blank();
    if (depth >= 0) best = at;
    if (depth === wanted.length) return;
    const open = text[at];
    if (open === '{' || open === '[') {
      at += 1;
      for (let index = 0; ; index += 1) {
        blank();
        if (at >= text.length || text[at] === '}' || text[at] === ']') break;
        let key: Step = index;
        if (open === '{') {
          key = string();
          blank();
          at += 1;
        }
        const leads = depth >= 0 && key === wanted[depth];
        value(leads ? depth + 1 : -1);
        if (leads) return;
        blank();
        if (text[at] === ',') at += 1;
      }
      at += 1;
    } else if (open === '"') string();
    else while (at < text.length && !/[\s,\]}]/.test(text.charAt(at))) at += 1;
  };
  value(0);
  return best;
}

/** A path from the root of a twin: issues may leave out the key that the whole configuration stands under. */
export function fromRoot(root: unknown, path: string): string {
  const [first] = stepsOf(path);
  if (first === undefined || !isRecord(root) || Object.hasOwn(root, first)) return path;
  const above = Object.keys(root).find((key) => {
    const inner = root[key];
    return isRecord(inner) && Object.hasOwn(inner, first);
  });
  return above === undefined ? path : `${pathOf([above])}.${path}`;
}

/** Line and column (from 1) of an offset. */
export function lineOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** What is wrong with a JSON text, with its line; undefined for a good one. */
export function jsonFault(text: string): { readonly message: string; readonly line: number } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message)?.[1];
    const line = /line (\d+)/.exec(message)?.[1];
    const at = position === undefined ? text.length : Number(position);
    return { message: message.replace(/^JSON\.parse: /, ''), line: line ? Number(line) : lineOf(text, at).line };
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
