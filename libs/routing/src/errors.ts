import { VantageError } from '@vantage/contracts';

/** A route or condition does not follow the grammar. `details.column` counts from 1 in the text that was given. */
export function routeSyntaxError(problem: string, column: number, text: string): VantageError {
  return new VantageError('ROUTE_SYNTAX', `${problem} (column ${column})`, { details: { column, text } });
}

/** A route's sink is well formed but names nothing that edgeHub can deliver to; `details.column` as above. */
export function routeSinkError(problem: string, column: number): VantageError {
  return new VantageError('ROUTE_SINK', `${problem} (column ${column})`, { details: { column } });
}

/** A condition parses but does not compile: wrong static types, an unknown function, a bad `$body` path. */
export function conditionTypeError(problem: string, column: number, text: string): VantageError {
  return new VantageError('CONDITION_TYPE', `${problem} (column ${column})`, { details: { column, text } });
}

/** `$edgeHub` desired properties carry no schemaVersion, or one that this runtime does not speak. */
export function edgeHubSchemaVersionError(problem: string): VantageError {
  return new VantageError('EDGEHUB_SCHEMA_VERSION', problem);
}

/** `$edgeHub` desired properties are malformed; `details.path` is the JSON path. */
export function edgeHubConfigError(problem: string, path: string, cause?: unknown): VantageError {
  return new VantageError('EDGEHUB_CONFIG', `${path}: ${problem}`, {
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
