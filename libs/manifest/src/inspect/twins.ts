import {
  MODULES,
  readAiPipelineTwin,
  readBusinessLogicTwin,
  validateConfiguration,
  type ConfigIssue,
} from '@vantage/contracts';
import type { DeploymentView } from './deployment-view.ts';
import { error, pathKeys, warning, type DeploymentProblem, type JsonPath } from './problem.ts';

interface Issues {
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
}

/** Readers of the twins of this house, the same that the modules use; their paths begin `below` the desired properties. */
const READERS: Readonly<Record<string, { readonly read: (desired: unknown) => Issues; readonly below: JsonPath }>> = {
  [MODULES.controller]: { read: (desired) => validateConfiguration(desired), below: ['azdaConfiguration'] },
  [MODULES.aiPipeline]: { read: readAiPipelineTwin, below: [] },
  [MODULES.businessLogic]: { read: readBusinessLogicTwin, below: [] },
};

/** Twins that a module would not take, or would take in part. */
export function inspectTwins({ twins }: DeploymentView): DeploymentProblem[] {
  return twins.flatMap(({ name, path, value }) => {
    const reader = READERS[name];
    if (!reader) return [];
    const { errors, warnings } = reader.read(value);
    const place = (issue: ConfigIssue): JsonPath => [...path, ...reader.below, ...pathKeys(issue.path)];
    return [
      ...errors.map((issue) => error(place(issue), issue.message)),
      ...warnings.map((issue) => warning(place(issue), issue.message)),
    ];
  });
}
