import { isTwinObject, messageOf } from '@vantage/contracts';
import { ConfigurationReport } from '../registry/configurations/report.ts';
import { checkMetric, readConfiguration, readTarget } from '../registry/configurations/validate.ts';
import { ok, readCount, readObject, type Call, type Route } from './calls.ts';
import type { HttpReply } from './http.ts';

const ONE = /^\/configurations\/([^/]+)\/?$/;
const MAX_LIST = 100;

export const CONFIGURATION_ROUTES: readonly Route[] = [
  ['GET', /^\/configurations\/?$/, 'RegistryRead', list],
  ['POST', /^\/configurations\/testQueries\/?$/, 'RegistryRead', testQueries],
  ['GET', ONE, 'RegistryRead', get],
  ['PUT', ONE, 'RegistryWrite', put],
  ['DELETE', ONE, 'RegistryWrite', remove],
];

function list({ hub, parameters }: Call): HttpReply {
  const top = readCount(parameters.get('top'), 'top', MAX_LIST) ?? MAX_LIST;
  const report = new ConfigurationReport(hub.documents);
  return ok(
    hub.configurations
      .all()
      .slice(0, top)
      .map((configuration) => report.of(configuration)),
  );
}

function get({ hub, deviceId: id }: Call): HttpReply {
  return ok(new ConfigurationReport(hub.documents).of(hub.configurations.require(id)));
}

async function put({ hub, request, deviceId: id, ifMatch }: Call): Promise<HttpReply> {
  const body = await readObject(request);
  const { configurations } = hub;
  const before = configurations.toReplace(id, ifMatch);
  const now = new Date(hub.now()).toISOString();
  const configuration = readConfiguration(id, body, before, configurations.nextSequence(), now);
  await configurations.put(configuration);
  hub.engine.touchAll();
  return ok(new ConfigurationReport(hub.documents).of(configuration));
}

async function remove({ hub, deviceId: id, ifMatch }: Call): Promise<HttpReply> {
  await hub.configurations.remove(id, ifMatch);
  hub.engine.touchAll();
  return { status: 204 };
}

/** Says what is wrong with a target condition and metrics, without a configuration. */
async function testQueries({ request }: Call): Promise<HttpReply> {
  const body = await readObject(request);
  const { targetCondition = '', customMetricQueries } = body;
  const isForModules = /^\s*FROM\s+devices\.modules/i.test(String(targetCondition));
  const content = isForModules ? { moduleContent: {} } : { deviceContent: {} };
  const conditionError = errorOf(() => readTarget({ content, targetCondition: String(targetCondition) }));
  const metrics = Object.entries(isTwinObject(customMetricQueries) ? customMetricQueries : {});
  const metricErrors = metrics.map(([name, text]): [string, string] => [name, errorOf(() => checkMetric(name, text))]);
  return ok({
    targetConditionError: conditionError,
    customMetricQueryErrors: Object.fromEntries(metricErrors.filter(([, error]) => error !== '')),
  });
}

function errorOf(check: () => unknown): string {
  try {
    check();
    return '';
  } catch (error) {
    return messageOf(error);
  }
}
