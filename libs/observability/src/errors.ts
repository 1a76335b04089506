import { VantageError } from '@vantage/contracts';

/** A metric is not named `vantage_<thing>_<unit>`. */
export const metricNameInvalid = (name: string, units: readonly string[]): VantageError =>
  new VantageError(
    'METRIC_NAME_INVALID',
    `metric "${name}" is not named vantage_<thing>_<unit> (units: ${units.join(', ')})`,
  );

/** One metric name was asked for twice with different kinds or label names. */
export const metricConflict = (name: string): VantageError =>
  new VantageError('METRIC_CONFLICT', `metric "${name}" exists already with another kind or other labels`);

/** An environment variable does not hold what it should. */
export const envInvalid = (name: string, expected: string, cause?: unknown): VantageError =>
  new VantageError('ENV_INVALID', `environment variable ${name} must be ${expected}`, { cause, details: { name } });
