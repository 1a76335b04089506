import { VantageError } from '@vantage/contracts';

/** Files of a twin besides models. */
export type NamedFile = 'tracker' | 'dewarper';

/** It cannot be read. */
export function fileMissing(what: NamedFile, file: string, reason: string, cause?: unknown): VantageError {
  const code = what === 'tracker' ? 'TRACKER_CONFIG_MISSING' : 'DEWARP_CONFIG_MISSING';
  return new VantageError(code, `the ${what} file ${file} ${reason}`, cause === undefined ? {} : { cause });
}

/** It is something else, or has errors in it. */
export function fileInvalid(what: NamedFile, message: string): VantageError {
  const code = what === 'tracker' ? 'TRACKER_CONFIG_INVALID' : 'DEWARP_CONFIG_INVALID';
  return new VantageError(code, message);
}
