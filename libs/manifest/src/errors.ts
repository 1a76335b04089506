import { VantageError } from '@vantage/contracts';

/** A text is not JSON. `details` has `line` and `column` (from 1) and `offset` (from 0, in characters). */
export function jsonSyntaxError(problem: string, line: number, column: number, offset: number): VantageError {
  return new VantageError('JSON_SYNTAX', `${problem}: line ${line} column ${column} (char ${offset})`, {
    details: { problem, line, column, offset },
  });
}

/** A template lacks what every deployment has, or has it in the wrong shape. */
export function templateError(problem: string, cause?: unknown): VantageError {
  return new VantageError('TEMPLATE_INVALID', problem, cause === undefined ? {} : { cause });
}

/** `${MODULEDIR<...>}` names a folder without module.json, or a module.json cannot be read. */
export function moduleFileError(problem: string, cause?: unknown): VantageError {
  return new VantageError('MODULE_FILE', problem, cause === undefined ? {} : { cause });
}

/** createOptions do not fit into a twin: more than eight pieces of 512 characters. */
export function createOptionsSizeError(module: string): VantageError {
  return new VantageError(
    'CREATE_OPTIONS_SIZE',
    `Size of createOptions of ${module} is too big. The maximum size of createOptions is 4K`,
    { details: { module } },
  );
}

/** Chunked createOptions are not contiguous, not text, or not an object. */
export function createOptionsError(problem: string, cause?: unknown): VantageError {
  return new VantageError('CREATE_OPTIONS', problem, cause === undefined ? {} : { cause });
}

/** An image name that no registry could resolve. */
export function imageNameError(image: string): VantageError {
  return new VantageError('IMAGE_NAME', `image '${image}' is not of the form [registry/]name[:tag]`);
}
