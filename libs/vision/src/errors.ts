import { VantageError } from '@vantage/contracts';

/** A parser was asked for by a name that none has. */
export function unknownParser(requested: string, available: readonly string[]): VantageError {
  return new VantageError(
    'PARSER_UNKNOWN',
    `there is no output parser called '${requested}'; there are: ${available.join(', ')}`,
    { details: { requested, available } },
  );
}

/** No parser (or not the one asked for) can read the outputs of a model. */
export function parserDoesNotFit(message: string, outputs: readonly string[]): VantageError {
  return new VantageError('PARSER_DOES_NOT_FIT', message, { details: { outputs } });
}

/** A run gave outputs of another shape than the model declares. */
export function unexpectedOutput(message: string): VantageError {
  return new VantageError('MODEL_OUTPUT_UNEXPECTED', message);
}
