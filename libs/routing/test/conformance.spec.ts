import { describe, expect, test } from '@jest/globals';
import { VantageError } from '@vantage/contracts';
import {
  type RoutedMessage,
  Router,
  compileCondition,
  compileExpression,
  messageSourceOf,
  parseEdgeHubConfig,
  parseRoute,
  parseRouteText,
  resolveSink,
  sourceMatches,
} from '../src/index.ts';
import { CASES_DIR, loadCases } from './cases.ts';

/** The recorded behaviour of edgeHub; every case of every file, no exceptions. */
const describeCases = CASES_DIR === undefined ? describe.skip : describe;

interface Expected {
  readonly error?: string;
}
type Properties = Record<string, string | null>;

const MESSAGE: RoutedMessage = {
  source: 'telemetry',
  deviceId: 'device',
  properties: {},
  systemProperties: {},
  body: '',
};

function codeThrownBy(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(VantageError.is(error)).toBe(true);
    return (error as VantageError).code;
  }
  return 'nothing thrown';
}

describeCases('routes.json', () => {
  const { cases } = loadCases<{ cases: { id: string; route: string; expect: Expected & Record<string, unknown> }[] }>(
    'routes.json',
  );
  test.each(cases)('$id $route', ({ route, expect: expected }) => {
    if (expected.error === undefined) expect(parseRouteText(route)).toEqual(expected);
    else expect(codeThrownBy(() => parseRouteText(route))).toBe('ROUTE_SYNTAX');
  });
});

describeCases('sources.json', () => {
  const { cases } = loadCases<{ cases: { id: string; pattern: string; messageSource: string; expect: boolean }[] }>(
    'sources.json',
  );
  test.each(cases)('$id $pattern on $messageSource', ({ pattern, messageSource, expect: expected }) => {
    expect(sourceMatches(pattern, messageSource)).toBe(expected);
  });
});

describeCases('sinks.json', () => {
  interface SinkCase {
    id: string;
    kind: 'system' | 'function';
    name: string | null;
    argument?: string;
    expect: Expected & { endpoint?: string; module?: string; input?: string };
  }
  test.each(loadCases<{ cases: SinkCase[] }>('sinks.json').cases)(
    '$id',
    ({ kind, name, argument, expect: expected }) => {
      const sink = { type: kind, name: name ?? '', argument: argument ?? '' };
      if (expected.error !== undefined) expect(codeThrownBy(() => resolveSink(sink))).toBe('ROUTE_SINK');
      else if (expected.endpoint === 'cloud') expect(resolveSink(sink)).toEqual({ kind: 'upstream' });
      else expect(resolveSink(sink)).toMatchObject({ kind: 'module' });
    },
  );
});

describeCases('routing.json', () => {
  interface RoutingCase {
    id: string;
    edgeDeviceId: string;
    routes: string[];
    message: {
      kind: 'telemetry' | 'reportedPropertiesUpdate';
      deviceId: string;
      moduleId?: string | null;
      output?: string | null;
      properties?: Properties;
      systemProperties?: Properties;
      body?: unknown;
    };
    deliveredTo: string[];
  }
  test.each(loadCases<{ cases: RoutingCase[] }>('routing.json').cases)(
    '$id',
    ({ edgeDeviceId, routes, message, deliveredTo }) => {
      const definitions = routes.map((text, i) => ({
        name: `r${i}`,
        ...parseRoute(text),
        priority: 0,
        timeToLiveSecs: 0,
      }));
      const router = new Router(definitions, { edgeDeviceId });
      expect(router.problems).toEqual([]);
      const deliveries = router.route({
        source: message.kind === 'telemetry' ? 'telemetry' : 'twinChange',
        deviceId: message.deviceId,
        moduleId: message.moduleId ?? undefined,
        output: message.output ?? undefined,
        properties: message.properties ?? {},
        systemProperties: message.systemProperties ?? {},
        body: JSON.stringify(message.body ?? {}),
      });
      const names = deliveries.map(({ endpoint }) =>
        endpoint === '$upstream' ? endpoint : `${endpoint.module}/${endpoint.input}`,
      );
      expect(names.sort()).toEqual([...deliveredTo].sort());
    },
  );
});

describeCases('evaluator.json', () => {
  interface EvaluatorCase {
    id: string;
    messageProperties: Properties;
    routes: { condition: string; endpoint: string; priority: number; ttl: number }[];
    expect: { endpoint: string; priority: number; ttl: number }[];
  }
  test.each(loadCases<{ cases: EvaluatorCase[] }>('evaluator.json').cases)(
    '$id',
    ({ messageProperties, routes, expect: expected }) => {
      const router = new Router(
        routes.map(({ condition, endpoint, priority, ttl }, i) => ({
          name: `r${i}`,
          source: '/messages/',
          condition,
          sink: { kind: 'module', module: endpoint, input: 'in' },
          priority,
          timeToLiveSecs: ttl,
        })),
        { edgeDeviceId: 'edge' },
      );
      const deliveries = router.route({ ...MESSAGE, properties: messageProperties });
      expect(
        deliveries
          .map(({ endpoint, priority, timeToLiveSecs }) => ({
            endpoint: endpoint === '$upstream' ? endpoint : endpoint.module,
            priority,
            ttl: timeToLiveSecs,
          }))
          .sort((a, b) => a.endpoint.localeCompare(b.endpoint)),
      ).toEqual(expected);
    },
  );
});

describeCases('conditions.json', () => {
  interface ConditionFile {
    messages: Record<string, { properties: Properties; systemProperties: Properties; body: string }>;
    cases: {
      id: string;
      condition: string;
      message: string;
      expect: 'true' | 'false' | 'undefined' | 'compile-error';
    }[];
  }
  const { messages, cases } = loadCases<ConditionFile>('conditions.json');
  test.each(cases)('$id $condition', ({ condition, message, expect: expected }) => {
    if (expected === 'compile-error') {
      expect(['ROUTE_SYNTAX', 'CONDITION_TYPE']).toContain(codeThrownBy(() => compileCondition(condition)));
      return;
    }
    const text = { ...MESSAGE, ...messages[message]! };
    const bytes = { ...text, body: new TextEncoder().encode(text.body) };
    const compiled = compileCondition(condition);
    const wanted = { true: true, false: false, undefined: undefined }[expected];
    expect([compiled.evaluate(text), compiled.evaluate(bytes)]).toEqual([wanted, wanted]);
  });
});

describeCases('expressions.json', () => {
  const { cases } = loadCases<{ cases: { id: string; expression: string; value: string | number }[] }>(
    'expressions.json',
  );
  test.each(cases)('$id $expression', ({ expression, value }) => {
    const actual = compileExpression(expression)(MESSAGE);
    if (typeof actual === 'number' && typeof value === 'number') expect(actual).toBeCloseTo(value, 12);
    else expect(typeof actual === 'number' ? String(actual) : actual).toBe(value);
  });
});

describeCases('edgehub_config.json', () => {
  interface ConfigCase {
    id: string;
    name: string;
    desired: unknown;
    expect: Expected & { routes?: Record<string, { priority: number; ttl: number }> };
  }
  test.each(loadCases<{ cases: ConfigCase[] }>('edgehub_config.json').cases)(
    '$id $name',
    ({ desired, expect: expected }) => {
      if (expected.error !== undefined) {
        const code = codeThrownBy(() => parseEdgeHubConfig(desired));
        expect(code).toBe(
          expected.error === 'InvalidSchemaVersionException' ? 'EDGEHUB_SCHEMA_VERSION' : 'EDGEHUB_CONFIG',
        );
        return;
      }
      const { routes } = parseEdgeHubConfig(desired);
      if (expected.routes === undefined) return;
      const byName = Object.fromEntries(
        routes.map(({ name, priority, timeToLiveSecs }) => [name, { priority, ttl: timeToLiveSecs }]),
      );
      expect(byName).toEqual(expected.routes);
    },
  );
});

test('message sources', () => {
  expect(messageSourceOf({ source: 'telemetry' })).toBe('/messages/');
  expect(messageSourceOf({ source: 'telemetry', moduleId: 'm' })).toBe('/messages/modules/m/');
  expect(messageSourceOf({ source: 'telemetry', moduleId: 'm', output: 'o' })).toBe('/messages/modules/m/outputs/o/');
  expect(messageSourceOf({ source: 'twinChange', moduleId: 'm' })).toBe('/twinChangeNotifications/');
});
