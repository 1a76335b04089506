import { VantageError } from '@vantage/contracts';

/** `UPLOAD_SETTING_INVALID`: an environment variable says something that cannot be used. */
export function settingInvalid(name: string, why: string): VantageError {
  return new VantageError('UPLOAD_SETTING_INVALID', `${name} cannot be used: ${why}`);
}

/**
 * `UPLOAD_HUB_REFUSED`: IoT Hub did not give a place to upload to. `details.status` is its HTTP status, `details.date` the
 * time on its clock.
 */
export function hubRefused(status: number, hubCode: string, why: string, date: string | null = null): VantageError {
  const message = `IoT Hub refuses the file upload (${status}${hubCode ? ` ${hubCode}` : ''}): ${why}`;
  return new VantageError('UPLOAD_HUB_REFUSED', message, { details: { status, hubCode, date } });
}

/** `UPLOAD_FILE_CHANGED`: the file changed while it was read; it is tried again later. */
export function fileChanged(name: string): VantageError {
  return new VantageError('UPLOAD_FILE_CHANGED', `${name} changed while it was being uploaded`);
}

/** `UPLOAD_NOT_CONFIRMED`: storage has another size or hash than was sent; the local file stays and is sent again. */
export function notConfirmed(blob: string, why: string): VantageError {
  return new VantageError('UPLOAD_NOT_CONFIRMED', `storage does not confirm ${blob}: ${why}`);
}

/** `UPLOAD_STALLED`: nothing of a block went on for so long; it is sent again later. */
export function stalled(ms: number, cause: unknown): VantageError {
  const seconds = Math.round(ms / 100) / 10;
  return new VantageError('UPLOAD_STALLED', `the line takes nothing more: no answer within ${seconds} s`, { cause });
}

/** `UPLOAD_NAME_TAKEN`: a blob with other content has the name. Never seen outside: another name is taken. */
export function nameTaken(blob: string): VantageError {
  return new VantageError('UPLOAD_NAME_TAKEN', `there is another blob with the name ${blob}`);
}
