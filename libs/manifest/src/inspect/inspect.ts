import { type Json, isJsonObject, toPlain } from '../json.ts';
import { isLayered } from '../manifest.ts';
import { checkAgainst } from '../validate.ts';
import { inspectContainers } from './containers.ts';
import { viewDeployment } from './deployment-view.ts';
import { error, warning, type DeploymentProblem } from './problem.ts';
import { inspectRoutes } from './routes.ts';
import { inspectTwins } from './twins.ts';

/** A wrong value is quoted by its schema, however large it is. */
const MAX_MESSAGE = 200;

/**
 * Everything about a deployment that is wrong or probably not meant, before a device finds out: the official schema (not
 * of layered ones), images, createOptions, ports and binds, routes and where they lead, secrets that would travel
 * upstream, and the twins of the modules of this house. Never throws on what a user wrote.
 */
export function inspectDeployment(manifest: Json): DeploymentProblem[] {
  const view = viewDeployment(toPlain(manifest));
  return [...inspectSchema(manifest), ...inspectContainers(view), ...inspectRoutes(view), ...inspectTwins(view)];
}

function inspectSchema(manifest: Json): DeploymentProblem[] {
  if (isLayered(manifest)) return [];
  if (isJsonObject(manifest) && manifest.has('moduleContent') && !manifest.has('modulesContent')) {
    return [warning(['moduleContent'], 'is the old name of modulesContent: rename it')];
  }
  return checkAgainst('azure-iot-edge-deployment-2.0', manifest).map(({ path, message }) => {
    const text = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)} …` : message;
    // Devices ignore what they do not know: it is said, and does not stop anybody.
    return message.startsWith('Additional properties') ? warning(path, text) : error(path, text);
  });
}
