import type { ApiLargeValue } from '../../../src/api.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12.3 MB` */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? 'B'}`;
}

/** ` azdaConfiguration.components.skills (41.2 kB) is kept in blob storage.`; empty where nothing is. */
export function kept(values: readonly ApiLargeValue[] = []): string {
  if (values.length === 0) return '';
  const names = values.map(({ path, bytes: size }) => `${path} (${bytes(size)})`);
  return ` ${names.join(', ')} ${values.length === 1 ? 'is' : 'are'} kept in blob storage.`;
}

/** `0:09`, `12:05`, `1:02:03` */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 days ago` */
export function ago(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds < 2) return 'just now';
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

/** `3 persons, 1 car`; `nothing` for none. */
export function counts(objects: Readonly<Record<string, number>>): string {
  const parts = Object.entries(objects).filter(([, count]) => count > 0);
  return parts.length === 0 ? 'nothing' : parts.map(([label, count]) => `${count} ${label}`).join(', ');
}

/** The value of an `<input type="datetime-local">` of a moment, on the clock of who looks. */
export function inputTime(atMs: number): string {
  const at = new Date(atMs);
  return new Date(atMs - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** When a clip began, epoch milliseconds, as its name says it (`<pipeline>-2026-01-31-23:59:59[_<sensor>]`, UTC). */
export function clipTime(name: string): number | undefined {
  const [, date, time] = /-(\d{4}-\d{2}-\d{2})-(\d{2}:\d{2}:\d{2})/.exec(name) ?? [];
  const at = date === undefined ? Number.NaN : Date.parse(`${date}T${time ?? ''}Z`);
  return Number.isNaN(at) ? undefined : at;
}
