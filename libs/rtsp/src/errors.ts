import { VantageError } from '@vantage/contracts';

/** What a client sent is not RTSP. */
export const requestInvalid = (message: string): VantageError => new VantageError('RTSP_REQUEST_INVALID', message);

/** A source exists and gives nothing now; its clients may try again (they are answered with 503). */
export const sourceUnavailable = (name: string, reason: string): VantageError =>
  new VantageError('RTSP_SOURCE_UNAVAILABLE', `${name} cannot be played now: ${reason}`);
