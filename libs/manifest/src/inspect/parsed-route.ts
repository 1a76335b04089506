import { MODULES, OUTPUTS, isObject } from '@vantage/contracts';
import { checkRoute, parseRoute, sourceMatches, type ParsedRoute } from '@vantage/routing';
import type { Placed } from './deployment-view.ts';
import { error, type DeploymentProblem } from './problem.ts';

/** A route of a deployment, as text or as the object of schema 1.1, by the real compiler. */
export function readRoute({
  path,
  value,
}: Placed<unknown>): { readonly parsed: ParsedRoute } | { readonly problems: DeploymentProblem[] } {
  const [text, where] = isObject(value) ? [value['route'], [...path, 'route']] : [value, path];
  if (typeof text !== 'string') return { problems: [error(where, 'a route is a text')] };
  const { mistakes } = checkRoute(text);
  if (mistakes.length > 0) return { problems: mistakes.map(({ message }) => error(where, message)) };
  return { parsed: parseRoute(text) };
}

const CREDENTIALS = `/messages/modules/${MODULES.controller}/outputs/${OUTPUTS.deepStream}/`;

/** The controllermodule publishes the cameras' user names and passwords to the modules that open them. */
export function carriesCredentialsUpstream({ source, sink }: ParsedRoute): boolean {
  return sink.kind === 'upstream' && sourceMatches(source, CREDENTIALS);
}
