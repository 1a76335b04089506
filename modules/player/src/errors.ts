import { VantageError, type VantageErrorOptions } from '@vantage/contracts';

/** An error that a browser is told, with its HTTP status. */
function answer(status: number, code: string, message: string, options: VantageErrorOptions = {}): VantageError {
  return new VantageError(code, message, { ...options, details: { ...options.details, status } });
}

/** Of errors that the web framework makes, by status. */
export const FRAMEWORK_CODES: Readonly<Record<number, string>> = { 413: 'REQUEST_TOO_LARGE', 500: 'PLAYER_FAILED' };

export const settingInvalid = (message: string): VantageError => new VantageError('PLAYER_SETTING_INVALID', message);

/** A host that others reach needs somebody to ask who they are. */
export const accessOpen = (host: string): VantageError =>
  new VantageError(
    'PLAYER_ACCESS_OPEN',
    `the Player would answer everybody on ${host}: set PLAYER_TOKEN (16 characters or more), or PLAYER_OIDC_HEADER behind a proxy that logs people in`,
  );

export const portTaken = (host: string, port: number): VantageError =>
  new VantageError('PLAYER_PORT_TAKEN', `port ${port} of ${host} is taken: set PLAYER_PORT to another, or to 0`);

export const pageBuildFailed = (message: string): VantageError => new VantageError('PLAYER_PAGE_FAILED', message);

export const loginNeeded = (): VantageError => answer(401, 'LOGIN_NEEDED', 'log in first');
export const loginWrong = (): VantageError => answer(401, 'LOGIN_WRONG', 'that is not the token');
export const hostRefused = (host: string): VantageError =>
  answer(
    421,
    'HOST_REFUSED',
    `the Player is not known as ${host}; use its own address, or name the host in PLAYER_HOSTS`,
  );
export const originRefused = (): VantageError =>
  answer(403, 'ORIGIN_REFUSED', 'a page of another origin asked for this');
export const csrfRefused = (): VantageError =>
  answer(403, 'CSRF_REFUSED', 'the header x-vantage-csrf does not fit the cookie: load the page again');
export const readOnly = (): VantageError => answer(403, 'READ_ONLY', 'this Player shows and changes nothing');
export const tooManyRequests = (): VantageError =>
  answer(429, 'TOO_MANY_REQUESTS', 'too many attempts; wait a minute and try again');

export const requestInvalid = (message: string, path = ''): VantageError =>
  answer(400, 'REQUEST_INVALID', message, { details: { path } });
export const notFound = (what: string): VantageError => answer(404, 'NOT_FOUND', `${what} is not there`);

export const liveUnavailable = (message: string, cause?: unknown): VantageError =>
  answer(503, 'LIVE_UNAVAILABLE', message, { cause });

/** @param issues what the module would not take */
export const twinRefused = (module: string, issues: readonly unknown[]): VantageError =>
  answer(422, 'TWIN_REFUSED', `${module} would not take all of it; nothing was changed`, { details: { issues } });
/** @param issues each masked value that cannot become what it was, one at least */
export const secretUnknown = (issues: readonly { readonly path: string; readonly message: string }[]): VantageError => {
  const [{ path, message } = { path: '', message: '' }] = issues;
  const more = issues.length > 1 ? ` (${issues.length} places)` : '';
  return answer(422, 'SECRET_UNKNOWN', `${message}${more}`, { details: { path, issues } });
};
export const sensorUnknown = (sensor: string): VantageError =>
  answer(404, 'SENSOR_UNKNOWN', `there is no sensor ${sensor} in the twin of the controllermodule`);
export const regionInvalid = (issues: readonly unknown[]): VantageError =>
  answer(422, 'REGION_INVALID', 'nothing was saved: a region cannot be used as it is', { details: { issues } });

export const mediaUnsigned = (): VantageError =>
  answer(403, 'MEDIA_UNSIGNED', 'this address was not made by this Player: load the list of clips again');
export const mediaExpired = (): VantageError =>
  answer(410, 'MEDIA_EXPIRED', 'this address is too old: load the list of clips again');
export const storageFailed = (cause: unknown): VantageError =>
  answer(503, 'CLIP_STORAGE_UNREACHABLE', 'the clip is in the blob storage, and that does not answer', { cause });
export const thumbnailFailed = (message: string): VantageError => answer(503, 'THUMBNAIL_FAILED', message);

export const modelCheckUnavailable = (): VantageError =>
  answer(501, 'MODEL_CHECK_UNAVAILABLE', 'models are checked by the vantage command, and that is not here');
export const modelPlaceUnknown = (): VantageError =>
  answer(
    409,
    'MODEL_PLACE_UNKNOWN',
    'the ai-pipeline cannot read the files of this Player, which has no storage to hand the zip over (PLAYER_STORAGE with an account key, reachable from the device): name the URL of the zip in the twin',
  );
export const pipelineUnknown = (pipeline: string): VantageError =>
  answer(404, 'PIPELINE_UNKNOWN', `there is no pipeline ${pipeline} in the twin of the controllermodule`);
