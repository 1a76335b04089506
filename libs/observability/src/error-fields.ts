import { codeOf, VantageError } from '@vantage/contracts';

/** True for an Error of this realm or another. */
export function isErrorLike(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The fields of an error that a log line carries; up to four causes deep. The stack only for who debugs. */
export function serializeError(error: Error, withStack: boolean, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = { message: error.message };
  if (error.name !== 'Error' && error.name !== 'VantageError') fields['name'] = error.name;
  const code = codeOf(error);
  if (code !== undefined) fields['code'] = code;
  if (VantageError.is(error) && Object.keys(error.details).length > 0) fields['details'] = error.details;
  if (error.cause !== undefined && depth < 4) {
    fields['cause'] = isErrorLike(error.cause) ? serializeError(error.cause, false, depth + 1) : error.cause;
  }
  if (withStack && error.stack !== undefined) fields['stack'] = error.stack;
  return fields;
}
