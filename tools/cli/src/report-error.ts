import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import { redact } from '@vantage/observability';

/** An error as one sentence on stderr, with its code. */
export function reportError(error: unknown): void {
  const code = codeOf(error);
  process.stderr.write(`vantage: ${redact(messageOf(error))}${code ? ` (${code})` : ''}\n`);
  // A mistake of ours is worth its stack; a mistake in what we were given is explained by its message.
  if (!VantageError.is(error) && error instanceof Error && process.env['VANTAGE_DEBUG']) {
    process.stderr.write(`${redact(error.stack ?? '')}\n`);
  }
}
