import { VantageError } from '@vantage/contracts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Reads `500ms`, `30s`, `5m`, `1h`, `±1h` as milliseconds; a number without a unit is milliseconds where `bare` says so.
 * @throws VantageError DURATION_INVALID
 */
export function parseDuration(text: string, what: string, { bare = false, signed = false } = {}): number {
  const [, sign = '', digits = '', unit = ''] = /^([+-]?)(\d+(?:\.\d+)?)([a-z]*)$/.exec(text.trim()) ?? [];
  const factor = unit === '' && bare ? 1 : Object.hasOwn(UNIT_MS, unit) ? UNIT_MS[unit as keyof typeof UNIT_MS] : 0;
  if (digits === '' || factor === 0 || (sign !== '' && !signed)) {
    const examples = `${bare ? '250, ' : ''}500ms, 30s, 5m, 1h${signed ? ', -1h' : ''}`;
    throw new VantageError('DURATION_INVALID', `${what} is a time such as ${examples}, not "${text}"`);
  }
  return Math.round((sign === '-' ? -1 : 1) * Number(digits) * factor);
}

/** `4 s`, `3 min`, `2 h 5 min`, `3 d 4 h`: as precise as people need it. */
export function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
