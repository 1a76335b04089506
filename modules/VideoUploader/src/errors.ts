import { VantageError } from '@vantage/contracts';

/** `UPLOAD_SETTING_INVALID`: an environment variable says something that cannot be used. */
export function settingInvalid(name: string, why: string): VantageError {
  return new VantageError('UPLOAD_SETTING_INVALID', `${name} cannot be used: ${why}`);
}

/** `UPLOAD_HUB_REFUSED`: IoT Hub did not give a place to upload to. `details.status` is its HTTP status. */
export function hubRefused(status: number, hubCode: string, why: string): VantageError {
  const message = `IoT Hub refuses the file upload (${status}${hubCode ? ` ${hubCode}` : ''}): ${why}`;
  return new VantageError('UPLOAD_HUB_REFUSED', message, { details: { status, hubCode } });
}

/** `UPLOAD_FILE_CHANGED`: the file changed while it was read; it is tried again later. */
export function fileChanged(name: string): VantageError {
  return new VantageError('UPLOAD_FILE_CHANGED', `${name} changed while it was being uploaded`);
}

/** `UPLOAD_NOT_CONFIRMED`: storage has another size or hash than was sent; the local file stays and is sent again. */
export function notConfirmed(blob: string, why: string): VantageError {
  return new VantageError('UPLOAD_NOT_CONFIRMED', `storage does not confirm ${blob}: ${why}`);
}

/** `UPLOAD_NAME_TAKEN`: a blob with other content has the name. Never seen outside: another name is taken. */
export function nameTaken(blob: string): VantageError {
  return new VantageError('UPLOAD_NAME_TAKEN', `there is another blob with the name ${blob}`);
}
