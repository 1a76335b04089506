import { VantageError, isObject, messageOf } from '@vantage/contracts';
import { type CompiledCondition, type RouteCheck, type RouteText, checkCondition, checkRoute } from '@vantage/routing';
import { type TestMessage, isCovered, readTestMessage } from './test-message.ts';

/** What is asked: a route or a condition, and perhaps a message to try it on. */
export interface RouteTest {
  readonly id: unknown;
  readonly route?: string;
  readonly condition?: string;
  readonly message?: TestMessage;
}

/** One line of output. */
export interface RouteTestResult {
  readonly id: unknown;
  /** Normalised as edgeHub does; null when there is no route, or none that parses. */
  readonly source: string | null;
  readonly condition: string | null;
  readonly sink: RouteText['sink'] | null;
  /** Null without a message, and when the condition does not compile. A route takes the message only on true. */
  readonly result: boolean | 'undefined' | null;
  /** The first mistake. The column counts from 1 in the text that was given. */
  readonly error?: { readonly column: number; readonly message: string; readonly code: string };
}

/** Longest line of a batch, in characters; a message has at most a quarter of that. */
const MAX_LINE_LENGTH = 1_048_576;

/** Never throws for what the texts say. */
export function testRoute({ id, route, condition, message }: RouteTest): RouteTestResult {
  const check: RouteCheck = route === undefined ? checkCondition(condition ?? '') : checkRoute(route);
  const [mistake] = check.mistakes;
  const covered = message === undefined || isCovered(check.route?.source ?? '/', message);
  return {
    id,
    source: check.route?.source ?? null,
    condition: check.route?.condition ?? condition ?? null,
    sink: check.route?.sink ?? null,
    result: resultOf(check.condition, message, covered),
    ...(mistake === undefined ? {} : { error: mistake }),
  };
}

function resultOf(
  condition: CompiledCondition | undefined,
  message: TestMessage | undefined,
  covered: boolean,
): RouteTestResult['result'] {
  if (condition === undefined || message === undefined) return null;
  return covered ? (condition.evaluate(message.message) ?? 'undefined') : false;
}

/** Answers one line of a batch. A line that cannot be understood has an error too, which names the line. */
export function testLine(line: string, lineNumber: number): RouteTestResult {
  let id: unknown = null;
  try {
    if (line.length > MAX_LINE_LENGTH) throw new Error(`longer than ${MAX_LINE_LENGTH} characters`);
    const test: unknown = JSON.parse(line);
    if (!isObject(test)) throw new Error('an object expected');
    id = test['id'] ?? null;
    return testRoute(readTest(test, id));
  } catch (error) {
    const position = /at position (\d+)/.exec(messageOf(error))?.[1];
    const code = VantageError.is(error) ? error.code : 'ROUTE_TEST_INVALID';
    return {
      id,
      source: null,
      condition: null,
      sink: null,
      result: null,
      error: { column: Number(position ?? 0) + 1, message: `line ${lineNumber}: ${messageOf(error)}`, code },
    };
  }
}

function readTest(test: Readonly<Record<string, unknown>>, id: unknown): RouteTest {
  const { route = null, condition = null, message = null } = test;
  if ((route === null) === (condition === null)) throw new Error('either "route" or "condition" expected');
  const text = route ?? condition;
  if (typeof text !== 'string') throw new Error(`"${route === null ? 'condition' : 'route'}": a text expected`);
  return {
    id,
    ...(route === null ? { condition: text } : { route: text }),
    ...(message === null ? {} : { message: readTestMessage(message) }),
  };
}
