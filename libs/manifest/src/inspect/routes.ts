import { INPUTS, MODULES, OUTPUTS, messageOf } from '@vantage/contracts';
import { parseEdgeHubConfig, type ParsedRoute } from '@vantage/routing';
import type { DeploymentView, Placed } from './deployment-view.ts';
import { carriesCredentialsUpstream, readRoute } from './parsed-route.ts';
import { error, warning, type DeploymentProblem } from './problem.ts';

/** What the modules of this house send and listen to (contract A.4); other modules may have any. */
const ENDS: ReadonlyMap<string, { readonly outputs: readonly string[]; readonly inputs: readonly string[] }> = new Map([
  [MODULES.controller, { outputs: [OUTPUTS.deepStream], inputs: [INPUTS.configurationStatus] }],
  [
    MODULES.aiPipeline,
    {
      outputs: [OUTPUTS.inference, OUTPUTS.configurationStatus, 'metrics', 'localmetrics'],
      inputs: [INPUTS.controller, INPUTS.recording],
    },
  ],
  [
    MODULES.businessLogic,
    {
      outputs: [OUTPUTS.recording, OUTPUTS.configurationStatus],
      inputs: [INPUTS.regionsOfInterest, INPUTS.inference],
    },
  ],
]);

/** Routes that do not parse or never match, that lead nowhere or come from nobody, and that carry passwords upstream. */
export function inspectRoutes(view: DeploymentView): DeploymentProblem[] {
  const deployed = new Set(view.modules.map(({ name }) => name));
  const problems = view.routes.flatMap((route) => {
    const read = readRoute(route);
    if ('problems' in read) return read.problems;
    const { parsed } = read;
    // A layered deployment lies over modules that it does not name.
    const ends = view.layered ? [] : inspectEnds(route, parsed, deployed);
    return [...ends, ...(deployed.has(MODULES.controller) ? inspectSecrets(route, parsed) : [])];
  });
  // A wrong route is said where it stands, once.
  const isRouteWrong = problems.some(({ severity }) => severity === 'error');
  return isRouteWrong ? problems : [...problems, ...view.hub.flatMap(inspectHub)];
}

function inspectEnds(
  { path }: Placed<unknown>,
  { source, sink }: ParsedRoute,
  deployed: ReadonlySet<string>,
): DeploymentProblem[] {
  const problems: DeploymentProblem[] = [];
  const [, from, output] = /^\/messages\/modules\/([^/]+)\/(?:outputs\/([^/]+)\/)?/.exec(source) ?? [];
  if (from !== undefined && !deployed.has(from)) {
    problems.push(warning(path, `comes from module "${from}", which is not deployed: no message ever takes it`));
  }
  const outputs = ENDS.get(from ?? '')?.outputs;
  if (outputs && output !== undefined && !outputs.includes(output)) {
    problems.push(warning(path, `${from} has no output "${output}"; it has ${outputs.join(', ')}`));
  }
  if (sink.kind !== 'module') return problems;
  if (!deployed.has(sink.module)) {
    problems.push(
      warning(path, `leads to module "${sink.module}", which is not deployed: its messages wait until they expire`),
    );
  }
  const inputs = ENDS.get(sink.module)?.inputs;
  if (inputs && !inputs.includes(sink.input)) {
    problems.push(warning(path, `${sink.module} has no input "${sink.input}"; it has ${inputs.join(', ')}`));
  }
  return problems;
}

function inspectSecrets({ path }: Placed<unknown>, parsed: ParsedRoute): DeploymentProblem[] {
  if (!carriesCredentialsUpstream(parsed)) return [];
  const remedy = `remove it, or name only the outputs that belong in the cloud; which configuration runs is in the reported properties`;
  return [
    warning(path, `carries the cameras' user names and passwords to the cloud (${MODULES.controller}); ${remedy}`),
  ];
}

/** What edgeHub refuses as a whole: a version, a priority or a time to live that it does not know. */
function inspectHub(hub: Placed<unknown>): DeploymentProblem[] {
  try {
    parseEdgeHubConfig(hub.value);
    return [];
  } catch (problem) {
    return [error(hub.path, messageOf(problem))];
  }
}
