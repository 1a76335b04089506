import { isObject, messageOf } from '@vantage/contracts';
import { joinChunks, parseCreateOptions } from '../create-options.ts';
import { parseImage } from '../image.ts';
import type { DeploymentView } from './deployment-view.ts';
import { error, warning, type DeploymentProblem, type JsonPath } from './problem.ts';

/** Images, createOptions, and what two containers cannot share: a port of the host, a place inside one of them. */
export function inspectContainers({ modules, systemModules }: DeploymentView): DeploymentProblem[] {
  const ports = new Map<string, string>();
  return [...modules, ...systemModules].flatMap(({ name, path, value }) => {
    const settings = isObject(value['settings']) ? value['settings'] : {};
    const where = [...path, 'settings'];
    const problems: DeploymentProblem[] = [];
    const { image } = settings;
    const open = inspectVariables([...where, 'image'], image);
    if (open) problems.push(open);
    else {
      try {
        parseImage(typeof image === 'string' ? image : null);
      } catch (problem) {
        problems.push(error([...where, 'image'], messageOf(problem)));
      }
    }
    const at = [...where, 'createOptions'];
    const options = optionsOf(settings);
    if (typeof options === 'string') return [...problems, error(at, options)];
    const host = isObject(options['HostConfig']) ? options['HostConfig'] : {};
    return [...problems, ...inspectPorts(name, at, host['PortBindings'], ports), ...inspectBinds(at, host['Binds'])];
  });
}

/** What a template names and nobody has put in yet. */
function inspectVariables(path: JsonPath, text: unknown): DeploymentProblem | undefined {
  if (typeof text !== 'string') return undefined;
  const [, placeholder] = /^\$\{((?:MODULES\.|MODULEDIR<)[^}]*)\}$/.exec(text) ?? [];
  if (placeholder !== undefined) return warning(path, `no module.json gives \${${placeholder}} an image`);
  return /\$(?!upstream\b)/.test(text) ? warning(path, `"${text}" has a variable that is not set`) : undefined;
}

/** Before a manifest is generated createOptions are still an object. */
function optionsOf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | string {
  const { createOptions } = settings;
  if (isObject(createOptions)) return createOptions;
  try {
    return parseCreateOptions(joinChunks(settings));
  } catch (problem) {
    return messageOf(problem);
  }
}

function inspectPorts(name: string, at: JsonPath, bindings: unknown, taken: Map<string, string>): DeploymentProblem[] {
  if (!isObject(bindings)) return [];
  return Object.entries(bindings).flatMap(([port, hosts]) => {
    const protocol = port.split('/')[1] ?? 'tcp';
    return (Array.isArray(hosts) ? hosts : []).flatMap((host: unknown) => {
      const number = isObject(host) ? Number(host['HostPort']) : NaN;
      const where = [...at, 'HostConfig', 'PortBindings', port];
      if (!(Number.isInteger(number) && number >= 0 && number <= 65535)) {
        return [error(where, `the HostPort of ${port} is no port from 0 to 65535`)];
      }
      // 0 lets the engine choose.
      if (number === 0) return [];
      const address = isObject(host) && typeof host['HostIp'] === 'string' ? host['HostIp'] : '';
      const key = `${address}:${number}/${protocol}`;
      const owner = taken.get(key) ?? name;
      taken.set(key, owner);
      if (owner === name) return [];
      return [
        error(
          where,
          `port ${number}/${protocol} of the device is already that of module ${owner}: only one can have it`,
        ),
      ];
    });
  });
}

function inspectBinds(at: JsonPath, binds: unknown): DeploymentProblem[] {
  if (!Array.isArray(binds)) return [];
  const inside = new Map<string, string>();
  return binds.flatMap((bind: unknown, index) => {
    const where = [...at, 'HostConfig', 'Binds', index];
    const parts = typeof bind === 'string' ? /^([^:]+):(\/[^:]*)(?::([a-zA-Z,]+))?$/.exec(bind) : null;
    if (!parts) return [error(where, 'is no bind of the form <volume or /path>:/path[:ro]')];
    const [, source = '', target = ''] = parts;
    if (!source.startsWith('/') && !/^[a-zA-Z0-9][\w.-]*$/.test(source)) {
      return [
        inspectVariables(where, source) ??
          error(where, `"${source}" is neither a volume's name nor an absolute path of the device`),
      ];
    }
    const before = inside.get(target);
    inside.set(target, source);
    return before === undefined ? [] : [error(where, `${target} is bound twice, to ${before} and to ${source}`)];
  });
}
