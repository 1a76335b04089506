const MASK = '***';

/** Names of fields whose value is a secret wherever they stand. `uname` is the camera user of the twin contract. */
const SECRET_KEY =
  /(?:password|passwd|pwd|passphrase|secret|token|uname|apikey|api_key|api-key|accountkey|sharedaccesskey|primarykey|secondarykey|authorization)$/i;

const RULES: readonly (readonly [RegExp, string])[] = [
  // scheme://user:pass@host; the greedy first part also covers a password with an unescaped '@'.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi, `$1${MASK}@`],
  // ... and a password with an unescaped '/', as long as what follows the first ':' is not a port.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s:/?#@"'<>]+:(?!\d{1,5}[/?#])[^\s@"'<>]*@/gi, `$1${MASK}@`],
  [/\b(sig=)[^&\s"'<>]+/gi, `$1${MASK}`],
  [/\b((?:SharedAccessKey|AccountKey)=)[^;&\s"'<>]+/gi, `$1${MASK}`],
  [/\b(Bearer\s+|Authorization:\s*Basic\s+)[A-Za-z0-9+/=._~-]{8,}/gi, `$1${MASK}`],
  [
    /("[\w-]*(?:password|passwd|pwd|passphrase|secret|token|uname|apikey|api_key|accountkey|sharedaccesskey)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    `$1"${MASK}"`,
  ],
  [/\b([\w-]*(?:password|passwd|pwd|passphrase|secret|token|uname|apikey|api_key)=)[^\s&;,"'<>]+/gi, `$1${MASK}`],
  // Properties of GStreamer's rtspsrc, bare or in quotes, which in JSON have a backslash before them.
  [/\b((?:user|proxy)-(?:id|pw)\s*=\s*)(\\?["'])(?:(?!\2).)*(?:\2)?/gi, `$1$2${MASK}$2`],
  [/\b((?:user|proxy)-(?:id|pw)\s*=\s*)(?:\\[^"']|[^\s"'\\])+/gi, `$1${MASK}`],
];

/**
 * The text without credentials: URL user info, SAS signatures, account and access keys, bearer tokens, user and password
 * of GStreamer's sources, and values of fields named like a secret. For log lines, error texts and reported properties.
 * Idempotent.
 *
 * @example redact('cannot open rtsp://admin:pw@10.0.0.9/live') // 'cannot open rtsp://***@10.0.0.9/live'
 */
export function redact(text: string): string {
  let result = text;
  for (const [pattern, replacement] of RULES) result = result.replace(pattern, replacement);
  return result;
}

/** True when a field of this name holds a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

const MAX_DEPTH = 12;

/**
 * A copy of a JSON-like value without credentials: strings go through {@link redact}, fields named like a secret are
 * masked (an empty one stays empty, which says that it is not set). Cycles and depths over 12 become a note.
 */
export function redactDeep(value: unknown): unknown {
  return walk(value, 0, new Set());
}

function walk(value: unknown, depth: number, path: Set<object>): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (path.has(value)) return '[circular]';
  if (depth > MAX_DEPTH) return '[too deep]';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  path.add(value);
  const copy = Array.isArray(value)
    ? value.map((item) => walk(item, depth + 1, path))
    : Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, isSecretKey(key) ? mask(item) : walk(item, depth + 1, path)]),
      );
  path.delete(value);
  return copy;
}

function mask(value: unknown): unknown {
  return value === '' || value === null || value === undefined || typeof value === 'boolean' ? value : MASK;
}
