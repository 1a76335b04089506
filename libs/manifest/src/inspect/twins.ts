import { MODULES, readModuleTwin } from '@vantage/contracts';
import type { DeploymentView } from './deployment-view.ts';
import { error, pathKeys, warning, type DeploymentProblem, type JsonPath } from './problem.ts';

/** Twins that a module of this house would not take, or would take in part, read as the modules do. */
export function inspectTwins({ twins }: DeploymentView): DeploymentProblem[] {
  return twins.flatMap(({ name, path, value }) => {
    const issues = readModuleTwin(name, value);
    if (!issues) return [];
    const below = name === MODULES.controller ? ['azdaConfiguration'] : [];
    const place = (at: string): JsonPath => [...path, ...below, ...pathKeys(at)];
    return [
      ...issues.errors.map((issue) => error(place(issue.path), issue.message)),
      ...issues.warnings.map((issue) => warning(place(issue.path), issue.message)),
    ];
  });
}
