import { redact } from '@vantage/observability';

/** Why something on the network failed, for people. fetch and several addresses of a host hide it in the cause or the code. */
export function reasonOf(error: unknown): string {
  const cause = fieldOf(error, 'cause');
  const [text, code] = [fieldOf(cause ?? error, 'message'), fieldOf(cause ?? error, 'code')];
  const reason = [text, code, fieldOf(error, 'message')].find((one) => typeof one === 'string' && one !== '');
  return redact(typeof reason === 'string' ? reason : 'unknown reason');
}

function fieldOf(value: unknown, name: 'cause' | 'message' | 'code'): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
