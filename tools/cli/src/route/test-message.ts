import { VantageError, isObject } from '@vantage/contracts';
import { type RoutedMessage, messageSourceOf, sourceMatches } from '@vantage/routing';

/**
 * A message as a test gives it: `properties`, `systemProperties`, `body` (text; anything else is sent as its JSON), and,
 * where the source matters, `kind`, `deviceId`, `moduleId` and `output`, or the source path itself as `source`.
 */
export interface TestMessage {
  readonly message: RoutedMessage;
  /** Undefined where the test says nothing of it: then every FROM covers the message. */
  readonly source: string | undefined;
}

/** Whether a route from `from` takes the message. */
export function isCovered(from: string, { source }: TestMessage): boolean {
  return source === undefined || sourceMatches(from, source);
}

/** @throws VantageError ROUTE_TEST_INVALID */
export function readTestMessage(value: unknown): TestMessage {
  if (!isObject(value)) throw invalid('the message', 'an object');
  const { kind, body } = value;
  if (kind !== undefined && kind !== 'telemetry' && kind !== 'reportedPropertiesUpdate') {
    throw invalid('message.kind', '"telemetry" or "reportedPropertiesUpdate"');
  }
  const moduleId = optionalText(value, 'moduleId');
  const output = optionalText(value, 'output');
  const message: RoutedMessage = {
    source: kind === 'reportedPropertiesUpdate' ? 'twinChange' : 'telemetry',
    deviceId: optionalText(value, 'deviceId') ?? '',
    moduleId,
    output,
    properties: readProperties(value, 'properties'),
    systemProperties: readProperties(value, 'systemProperties'),
    body: typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
  };
  const isPlaced = kind !== undefined || moduleId !== undefined || message.deviceId !== '';
  return { message, source: optionalText(value, 'source') ?? (isPlaced ? messageSourceOf(message) : undefined) };
}

function optionalText(value: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const text = value[key] ?? undefined;
  if (text !== undefined && typeof text !== 'string') throw invalid(`message.${key}`, 'a text');
  return text;
}

function readProperties(value: Readonly<Record<string, unknown>>, key: string): Record<string, string | null> {
  const properties = value[key] ?? {};
  if (!isObject(properties)) throw invalid(`message.${key}`, 'an object');
  for (const [name, text] of Object.entries(properties)) {
    if (text !== null && typeof text !== 'string') throw invalid(`message.${key}.${name}`, 'a text or null');
  }
  return properties as Record<string, string | null>;
}

function invalid(what: string, expected: string): VantageError {
  return new VantageError('ROUTE_TEST_INVALID', `${what}: ${expected} expected`);
}
