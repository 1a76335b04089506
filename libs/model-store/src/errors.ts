import { VantageError } from '@vantage/contracts';

type Details = Readonly<Record<string, unknown>>;

const make =
  (code: string) =>
  (message: string, details: Details = {}, cause?: unknown): VantageError =>
    new VantageError(code, message, { details, ...(cause === undefined ? {} : { cause }) });

/** The address is neither http, https nor file, nor a path. */
export const addressInvalid = make('MODEL_ADDRESS_INVALID');
/** The server could not be reached, kept failing or stopped answering. */
export const downloadFailed = make('MODEL_DOWNLOAD_FAILED');
/** The server answered with a status that trying again will not change (404, 403, ...). */
export const downloadRefused = make('MODEL_DOWNLOAD_REFUSED');
/** More bytes than the limit, downloaded or on disk. */
export const packageTooLarge = make('MODEL_PACKAGE_TOO_LARGE');
/** The file or folder named does not exist. */
export const packageMissing = make('MODEL_PACKAGE_MISSING');
/** What arrived is a web page, not a zip. */
export const packageIsHtml = make('MODEL_PACKAGE_HTML');
/** What arrived is something else than a zip. */
export const packageNotZip = make('MODEL_PACKAGE_NOT_ZIP');
/** The zip ends too early or its directory is damaged. */
export const packageTruncated = make('MODEL_PACKAGE_TRUNCATED');
/** An entry's bytes do not match their checksum or cannot be decompressed. */
export const packageCorrupt = make('MODEL_PACKAGE_CORRUPT');
/** The zip holds no file. */
export const packageEmpty = make('MODEL_PACKAGE_EMPTY');
/** An entry wants to be written outside the folder, is a link, or names clash. */
export const packageUnsafe = make('MODEL_PACKAGE_UNSAFE');
/** The zip would unpack to more than the limits allow. */
export const packageBomb = make('MODEL_PACKAGE_BOMB');
/** An entry is encrypted. */
export const packageEncrypted = make('MODEL_PACKAGE_ENCRYPTED');
/** An entry uses a compression that is not read. */
export const packageUnsupported = make('MODEL_PACKAGE_UNSUPPORTED');
/** The bytes do not have the sha256 that was asked for, or that is no sha256. */
export const packageHashMismatch = make('MODEL_PACKAGE_SHA256');
/** The package holds no file of that name. */
export const fileMissing = make('MODEL_FILE_MISSING');
/** A path that leads out of the package. */
export const fileOutside = make('MODEL_FILE_OUTSIDE');
/** The file is no ONNX model: a pointer, a web page, empty, cut short, or something else. */
export const fileNotOnnx = make('MODEL_FILE_NOT_ONNX');
