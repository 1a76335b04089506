import { VantageError, isObject } from '@vantage/contracts';
import { type RouteTestResult, testRoute } from './route-test.ts';

/** Every route that a deployment's `modulesContent` gives `$edgeHub`, layered ones included; the id is its name. */
export function checkManifestRoutes(modulesContent: unknown): RouteTestResult[] {
  const hub = isObject(modulesContent) ? modulesContent['$edgeHub'] : undefined;
  const results: RouteTestResult[] = [];
  for (const [key, value] of Object.entries(isObject(hub) ? hub : {})) {
    if (key === 'properties.desired') {
      const routes = isObject(value) ? value['routes'] : undefined;
      for (const [name, spec] of Object.entries(isObject(routes) ? routes : {})) results.push(checkSpec(name, spec));
    } else if (key.startsWith('properties.desired.routes.')) {
      results.push(checkSpec(key.slice('properties.desired.routes.'.length), value));
    }
  }
  return results;
}

/** @throws VantageError DEPLOYMENT_INVALID, naming each route that edgeHub would refuse or could never match. */
export function requireGoodRoutes(modulesContent: unknown, where: string): void {
  const wrong = checkManifestRoutes(modulesContent).flatMap(({ id, error }) =>
    error === undefined ? [] : [`route "${String(id)}": ${error.message}`],
  );
  if (wrong.length > 0) throw new VantageError('DEPLOYMENT_INVALID', `${where}: ${wrong.join('; ')}`);
}

function checkSpec(id: string, spec: unknown): RouteTestResult {
  const route = isObject(spec) ? spec['route'] : spec;
  return testRoute({ id, route: typeof route === 'string' ? route : '' });
}
