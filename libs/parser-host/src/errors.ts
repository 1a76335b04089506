import { VantageError } from '@vantage/contracts';

/** The parser's file is missing or not a file. */
export const parserFileMissing = (file: string, reason: string): VantageError =>
  new VantageError('PARSER_FILE_MISSING', `parser ${file}: ${reason}`, { details: { file } });

/** A compiled C or C++ library, made for DeepStream's own process. */
export const parserIsNative = (message: string, file: string): VantageError =>
  new VantageError('PARSER_NATIVE_LIBRARY', message, { details: { file } });

/** No Python that could run the parser. */
export const pythonMissing = (message: string): VantageError => new VantageError('PARSER_PYTHON_MISSING', message);

/** The parser's file cannot be imported, or lacks something of the API. */
export const parserLoadFailed = (file: string, reason: string): VantageError =>
  new VantageError('PARSER_LOAD_FAILED', `parser ${file}: ${reason}`, { details: { file } });
