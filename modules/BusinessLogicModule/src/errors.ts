import { VantageError } from '@vantage/contracts';

/** `DECISION_FILE_INVALID`: the file in BUSINESS_LOGIC_FILE cannot be used. */
export function decisionFileInvalid(file: string, why: string, cause?: unknown): VantageError {
  const message = `the decision logic in BUSINESS_LOGIC_FILE cannot be used: ${why}. Give a .ts or .js file that exports decide(state, input).`;
  return new VantageError('DECISION_FILE_INVALID', message, { cause, details: { file } });
}
