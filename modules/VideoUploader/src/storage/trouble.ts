import { codeOf, isObject, messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';

/** What keeps a file from arriving. `storage`: no other file would arrive either. `file`: others go on. */
export interface Trouble {
  readonly scope: 'storage' | 'file';
  readonly state: 'unreachable' | 'refused' | 'full' | 'notConfigured';
  /** A sentence for the operator. */
  readonly message: string;
}

/** Azure allows 15 minutes; a token made here and a look at the hour fail earlier than that. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const FULL = /Insufficient(Storage|Disk)|Quota|StorageFull|ENOSPC|AccountLimit|no space left/i;
const REFUSED = new Set([401, 403, 404]);
const NETWORK =
  /^(UPLOAD_STALLED|CERT_|E(CONN|NOTFOUND|HOST|NET|AI_AGAIN|PIPE|TIMEDOUT)|UND_ERR|REQUEST_SEND_ERROR|DEPTH_|UNABLE_|SELF_SIGNED|ERR_TLS|ERR_SSL)/;

/** Mostly it is not the certificate. */
const OF_ANOTHER_TIME = /^CERT_(NOT_YET_VALID|HAS_EXPIRED)$/;

/**
 * Reads an error of the storage client, of IoT Hub or of the network.
 *
 * @param nowMs the device's clock, which an answer's `Date` is compared with
 */
export function troubleOf(error: unknown, nowMs: number): Trouble {
  const { status, code, date } = factsOf(error);
  const message = redact(messageOf(error).split('\n')[0] ?? '');
  if (FULL.test(`${code} ${message}`) || status === 507) {
    return { scope: 'storage', state: 'full', message: `storage is full: ${message}` };
  }
  if (code === 'StorageNotConfigured' || code === 'BlobContainerValidationError') {
    return { scope: 'storage', state: 'notConfigured', message };
  }
  if (status !== undefined && REFUSED.has(status)) {
    return { scope: 'storage', state: 'refused', message: refusal(status, code, message, date, nowMs) };
  }
  const isTransport = status === undefined && (NETWORK.test(code) || isTimeout(error) || /fetch failed/.test(message));
  if (isTransport || status === 408 || status === 429 || (status !== undefined && status >= 500)) {
    const what = status === undefined ? 'storage does not answer' : `storage answers ${status}`;
    const clock = OF_ANOTHER_TIME.test(code) ? `. The clock of this device says ${new Date(nowMs).toISOString()}.` : '';
    return { scope: 'storage', state: 'unreachable', message: `${what}: ${reasonOf(error, message)}${clock}` };
  }
  return { scope: 'file', state: 'refused', message };
}

/** Says how wrong the device's clock is, compared with another; undefined when it is not. */
export function wrongClock(nowMs: number, otherMs: number): string | undefined {
  const offMs = nowMs - otherMs;
  const minutes = Math.round(Math.abs(offMs) / 60_000);
  if (Math.abs(offMs) <= CLOCK_TOLERANCE_MS) return undefined;
  const [amount, unit] =
    minutes < 120
      ? [minutes, 'minutes']
      : minutes < 48 * 60
        ? [Math.round(minutes / 60), 'hours']
        : [Math.round(minutes / 1440), 'days'];
  return `the clock of this device is ${amount} ${unit} ${offMs > 0 ? 'ahead' : 'behind'}`;
}

function refusal(status: number, code: string, message: string, date: number | undefined, nowMs: number): string {
  const wrong = date === undefined ? undefined : wrongClock(nowMs, date);
  if (wrong !== undefined) return `${wrong}, so its signatures are not valid. Set the clock.`;
  if (status === 404) return `storage has no such container or account (${code || status}): ${message}`;
  return `storage refuses (${status}${code ? ` ${code}` : ''}): ${message}. Check the key, or the signature's times and rights.`;
}

function factsOf(error: unknown): { status?: number; code: string; date?: number } {
  if (!isObject(error)) return { code: '' };
  const details = isObject(error['details']) ? error['details'] : {};
  const status = error['statusCode'] ?? details['status'];
  const hubCode = details['errorCode'] ?? details['hubCode'];
  const cause = isObject(error['cause']) ? codeOf(error['cause']) : undefined;
  const code = typeof hubCode === 'string' && hubCode !== '' ? hubCode : (cause ?? codeOf(error) ?? '');
  const response = isObject(error['response']) ? error['response'] : {};
  const headers = response['headers'] as { get?(name: string): string | undefined } | undefined;
  const said = typeof details['date'] === 'string' ? details['date'] : headers?.get?.('date');
  const date = Date.parse(said ?? '');
  return { ...(typeof status === 'number' ? { status } : {}), code, ...(Number.isNaN(date) ? {} : { date }) };
}

function isTimeout(error: unknown): boolean {
  return isObject(error) && (error['name'] === 'TimeoutError' || error['name'] === 'AbortError');
}

/** fetch hides the reason behind "fetch failed". */
function reasonOf(error: unknown, message: string): string {
  const cause = isObject(error) ? error['cause'] : undefined;
  return cause === undefined ? message : `${message} (${redact(messageOf(cause))})`;
}
