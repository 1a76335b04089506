import { isObject } from '@vantage/contracts';
import {
  pathKeys,
  type ContainerModule,
  type DeploymentProblem,
  type FindContainers,
  type JsonPath,
  type SkillContainers,
} from '@vantage/manifest';
import { containersOf, parseSkill } from '@vantage/skill';

/** Where `azdaConfiguration` keeps skills. */
const SKILLS: JsonPath = ['azdaConfiguration', 'components', 'skills'];

/**
 * The containers of the skills in the twins of a deployment: those of each instance with its parameters, and those of a
 * skill without an instance with its defaults.
 */
export const findSkillContainers: FindContainers = (twins) => {
  const found = twins.flatMap(({ path, value }) => {
    const skills = SKILLS.reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), value);
    const list: readonly unknown[] = Array.isArray(skills) ? skills : [];
    return list.map((skill, index) => containersOfSkill(skill, [...path, ...SKILLS, index]));
  });
  return {
    containers: found.flatMap(({ containers }) => containers),
    problems: found.flatMap(({ problems }) => problems),
  };
};

function containersOfSkill(skill: unknown, path: JsonPath): SkillContainers {
  if (!isObject(skill)) return { containers: [], problems: [] };
  const isInline = skill['document'] === undefined || skill['document'] === null;
  const { document } = parseSkill(isInline ? skill : skill['document']);
  // That it cannot be read at all is for those to say who look at skills as a whole.
  if (!document) return { containers: [], problems: [] };
  // The text of a document has no places inside of it that a JSON path could name.
  const isText = !isInline && !isObject(skill['document']);
  const place = (inside: string): JsonPath => {
    if (isInline) return [...path, ...pathKeys(inside)];
    return [...path, 'document', ...(isText ? [] : pathKeys(inside))];
  };
  const instances: readonly unknown[] = Array.isArray(skill['instances']) ? skill['instances'] : [];
  const parameters = instances.length === 0 ? [{}] : instances.map(parametersOf);
  const containers: ContainerModule[] = [];
  const problems = new Map<string, DeploymentProblem>();
  for (const set of parameters) {
    const { containers: own, issues } = containersOf(document, set);
    for (const { node, form } of own) {
      const at = document.nodes.find(({ id }) => id === node)?.path ?? '';
      containers.push({ ...form, from: `node ${node} of skill ${nameOf(skill, document.name)}`, path: place(at) });
    }
    for (const { severity, path: inside, node, message } of issues) {
      const about = node === undefined ? '' : `node ${node}: `;
      problems.set(`${inside} ${message}`, {
        severity,
        path: place(inside),
        message: `${about}${fieldOf(inside)}${message}`,
      });
    }
  }
  return { containers, problems: [...problems.values()] };
}

function fieldOf(path: string): string {
  const [, field] = /\.configurations\.([^.]+)$/.exec(path) ?? [];
  return field === undefined ? '' : `${field} `;
}

function nameOf({ id }: Readonly<Record<string, unknown>>, name: string): string {
  return typeof id === 'string' && id !== '' ? id : name || 'without a name';
}

function parametersOf(instance: unknown): Readonly<Record<string, string>> {
  const given = isObject(instance) ? instance['parameters'] : undefined;
  const scalars = Object.entries(isObject(given) ? given : {}).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  return Object.fromEntries(scalars.map(([key, value]) => [key, String(value)]));
}
