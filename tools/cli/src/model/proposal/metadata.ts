/** What exporters write into a model's metadata that is of use here. */
export interface MetadataFacts {
  /** By class id, with the key they come from. */
  readonly labels?: { readonly names: readonly string[]; readonly key: string };
  /** Pixels. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Of Ultralytics: `detect`, `segment`, `classify`, `pose`, `obb`. */
  readonly task?: string;
}

/** Ultralytics, YOLO exporters, Custom Vision, MMDeploy and people who do it by hand. */
const LABEL_KEYS = ['names', 'labels', 'classes', 'class_names', 'label_names', 'Labels', 'categories'];
const MAX_LABELS = 100_000;

/** Reads class names, size and task from the free entries of a model. What cannot be read is not there. */
export function readMetadata(metadata: ReadonlyMap<string, string>): MetadataFacts {
  const labels = LABEL_KEYS.map((key) => ({ key, names: namesIn(metadata.get(key) ?? '') })).find(
    ({ names }) => names.length > 0,
  );
  const size = sizeIn(metadata.get('imgsz') ?? metadata.get('input_size') ?? '');
  const task = metadata.get('task');
  return { ...(labels ? { labels } : {}), ...(size ? { size } : {}), ...(task ? { task } : {}) };
}

/** `{0: 'person', 1: "don't"}`, `['a', 'b']`, JSON of both, or words between commas or line ends. */
export function namesIn(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 4 * 1024 * 1024) return [];
  if (!/^[[{(]/.test(trimmed)) {
    const names = trimmed.split(trimmed.includes('\n') ? /\r?\n/ : /[,;]/).map((name) => name.trim());
    return names.length > 1 && names.every((name) => name !== '' && name.length <= 100) ? names : [];
  }
  const strings = /(?:(\d{1,6})|(?:'(\d{1,6})'|"(\d{1,6})"))\s*:\s*|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g;
  const names: string[] = [];
  let next = 0;
  for (const [, plain, single, double, quoted, doubleQuoted] of trimmed.matchAll(strings)) {
    const id = plain ?? single ?? double;
    if (id !== undefined) {
      next = Number(id);
      continue;
    }
    if (next >= MAX_LABELS) return [];
    names[next] = (quoted ?? doubleQuoted ?? '').replace(/\\(.)/g, '$1');
    next += 1;
  }
  return Array.from(names, (name, id) => name ?? `class-${id}`);
}

/** `[640, 640]` (height, width), `640`. */
function sizeIn(text: string): MetadataFacts['size'] {
  const [height = 0, width = height] = (text.match(/\d+/g) ?? []).map(Number);
  return height >= 8 && width >= 8 && height <= 16_384 && width <= 16_384 ? { width, height } : undefined;
}
