import { VantageError } from '@vantage/contracts';

/** Files of a twin besides models. */
export type NamedFile = 'tracker' | 'dewarper' | 'analytics';

const MISSING = {
  tracker: 'TRACKER_CONFIG_MISSING',
  dewarper: 'DEWARP_CONFIG_MISSING',
  analytics: 'ANALYTICS_CONFIG_MISSING',
} as const;

const INVALID = {
  tracker: 'TRACKER_CONFIG_INVALID',
  dewarper: 'DEWARP_CONFIG_INVALID',
  analytics: 'ANALYTICS_CONFIG_INVALID',
} as const;

/** It cannot be read. */
export function fileMissing(what: NamedFile, file: string, reason: string, cause?: unknown): VantageError {
  const code = MISSING[what];
  return new VantageError(code, `the ${what} file ${file} ${reason}`, cause === undefined ? {} : { cause });
}

/** It is something else, or has errors in it. */
export function fileInvalid(what: NamedFile, message: string): VantageError {
  const code = INVALID[what];
  return new VantageError(code, message);
}

/** The second clip, with overlays, could not be made; the clip itself is as it was. */
export function overlayFailed(clip: string, reason: string, cause?: unknown): VantageError {
  return new VantageError('OVERLAY_FAILED', `${clip} has no clip with overlays: ${reason}`, { cause });
}

/** An environment variable of the live view has a value that cannot be used. */
export function liveSettingInvalid(message: string): VantageError {
  return new VantageError('LIVE_SETTING_INVALID', message);
}
