import { VantageError } from '@vantage/contracts';

/** A file holds video that RTSP players cannot be given (only H.264 and H.265 are served). */
export const codecUnsupported = (name: string, codec: string): VantageError =>
  new VantageError('RTSPSIM_CODEC_UNSUPPORTED', `${name} holds ${codec}; only H.264 and H.265 are served`);

/** A file's stream lacks its parameter sets (SPS, PPS). */
export const parameterSetsMissing = (name: string): VantageError =>
  new VantageError('RTSPSIM_PARAMETER_SETS_MISSING', `${name} has no parameter sets`);

/** An environment variable has a value that cannot be used. */
export const settingInvalid = (message: string): VantageError => new VantageError('RTSPSIM_SETTING_INVALID', message);
