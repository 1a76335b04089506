import { isObject } from '../json.ts';
import { skillInstanceSchema, skillSchema, skillSensorSchema } from '../twins/controller-twin.ts';
import { pathOf, withoutNulls, type Report } from './report.ts';
import { checkName, type ReadSensors } from './sensors.ts';
import type { SkillConfig, SkillInstanceConfig, SkillSensor } from './types.ts';
import { quote, suggestion } from './wording.ts';

const LIMITS = { skills: 64, instances: 64, sensors: 256 } as const;
const SKILL_LEFT_OUT = 'The skill is left out.';
const INSTANCE_LEFT_OUT = 'The instance is left out.';
const CAMERA_LEFT_OUT = 'The camera is left out.';

/** Looked at by `@vantage/skill`, which knows nodes. */
const headSchema = skillSchema.pick({ id: true, document: true });
const instanceHeadSchema = skillInstanceSchema.omit({ sensors: true });

export interface ReadSkill {
  readonly skill: SkillConfig;
  readonly accepted: unknown;
}

/**
 * `components.skills`, but for what is inside of the documents. A bad camera, instance or skill is left out by itself.
 *
 * @param pipelineIds ids that instances cannot have
 */
export function readSkills(
  value: unknown,
  path: string,
  sensors: ReadSensors,
  pipelineIds: Iterable<string>,
  report: Report,
): readonly ReadSkill[] {
  const taken = new Map([...pipelineIds].map((id) => [id.toLowerCase(), 'a pipelineConfig']));
  const ids = new Set<string>();
  return (report.items(value, path, LIMITS.skills) ?? []).flatMap((item, index) => {
    const at = pathOf(path, index);
    if (!isObject(item)) {
      report.error(at, `expected an object with id, nodes and edges. ${SKILL_LEFT_OUT}`);
      return [];
    }
    report.unknownKeys(item, [...Object.keys(skillSchema.shape), 'symphony'], at);
    const head = report.parse(headSchema, withoutNulls(item), at, SKILL_LEFT_OUT);
    if (head === undefined || !checkName(head.id, pathOf(at, 'id'), report, SKILL_LEFT_OUT)) return [];
    if (ids.has(head.id)) {
      report.error(
        pathOf(at, 'id'),
        `there is another skill ${quote(head.id)}. Give each its own id. ${SKILL_LEFT_OUT}`,
      );
      return [];
    }
    if (head.document === undefined && item['nodes'] === undefined) {
      report.error(at, `has neither nodes and edges nor a document. ${SKILL_LEFT_OUT}`);
      return [];
    }
    ids.add(head.id);
    const instances = readInstances(item['instances'], pathOf(at, 'instances'), sensors, taken, report);
    if (instances.length === 0)
      report.warn(pathOf(at, 'instances'), `${quote(head.id)} has no instance; it does not run.`);
    const inline = head.document === undefined;
    const document = inline ? withoutKeys(item, ['id', 'instances']) : head.document;
    const skill = { id: head.id, document, path: inline ? at : pathOf(at, 'document'), instances };
    return [{ skill, accepted: item }];
  });
}

function readInstances(
  value: unknown,
  path: string,
  sensors: ReadSensors,
  taken: Map<string, string>,
  report: Report,
): readonly SkillInstanceConfig[] {
  return (report.items(value, path, LIMITS.instances) ?? []).flatMap((item, index) => {
    const at = pathOf(path, index);
    if (!isObject(item)) {
      report.error(at, `expected an object with id and sensors. ${INSTANCE_LEFT_OUT}`);
      return [];
    }
    report.unknownKeys(item, Object.keys(skillInstanceSchema.shape), at);
    const head = report.parse(instanceHeadSchema, withoutNulls(item), at, INSTANCE_LEFT_OUT);
    if (head === undefined || !checkName(head.id, pathOf(at, 'id'), report, INSTANCE_LEFT_OUT)) return [];
    const cameras = readCameras(item['sensors'], pathOf(at, 'sensors'), sensors, report);
    if (cameras.length === 0) {
      report.error(pathOf(at, 'sensors'), `names no camera that could be used. ${INSTANCE_LEFT_OUT}`);
      return [];
    }
    // A camera with parameters of its own runs under a name of its own.
    const names = [head.id, ...cameras.map(({ sensor }) => `${head.id}.${sensor.name}`)].map((id) => id.toLowerCase());
    const clash = names.find((name) => taken.has(name));
    if (clash !== undefined) {
      const what = `${quote(clash)} is also the name of ${taken.get(clash) ?? 'another'}`;
      report.error(pathOf(at, 'id'), `${what}. Give the instance another id. ${INSTANCE_LEFT_OUT}`);
      return [];
    }
    for (const name of names) taken.set(name, `the instance ${quote(head.id)}`);
    return [
      {
        id: head.id,
        ...(head.displayName === undefined ? {} : { displayName: head.displayName }),
        sensors: cameras,
        parameters: texts(head.parameters),
      },
    ];
  });
}

function readCameras(value: unknown, path: string, sensors: ReadSensors, report: Report): readonly SkillSensor[] {
  const cameras = new Map<string, SkillSensor>();
  (report.items(value, path, LIMITS.sensors) ?? []).forEach((item, index) => {
    const at = pathOf(path, index);
    const given = typeof item === 'string' ? { name: item } : item;
    if (isObject(given)) report.unknownKeys(given, Object.keys(skillSensorSchema.shape), at);
    const head = report.parse(skillSensorSchema, isObject(given) ? withoutNulls(given) : given, at, CAMERA_LEFT_OUT);
    if (head === undefined) return;
    const sensor = sensors.sensors.get(head.name)?.sensor;
    if (sensor === undefined || sensor.sourceKind === 'none') {
      report.error(at, `${problemOf(head.name, sensors)} ${CAMERA_LEFT_OUT}`);
      return;
    }
    if (cameras.has(head.name)) report.warn(at, `${quote(head.name)} is named twice; this one counts.`);
    const username = head.uname ?? '';
    cameras.set(head.name, {
      sensor,
      ...(username === '' ? {} : { credentials: { username, password: head.password ?? '' } }),
      parameters: texts(head.parameters),
    });
  });
  return [...cameras.values()];
}

function problemOf(name: string, { sensors, leftOut }: ReadSensors): string {
  if (sensors.has(name)) return `the sensor ${quote(name)} has no endpoint. Give it one.`;
  if (leftOut.has(name)) return `the sensor ${quote(name)} was left out because of the errors reported for it.`;
  return `there is no sensor ${quote(name)}. ${suggestion(name, [...sensors.keys()])}`;
}

function texts(values: Readonly<Record<string, string | number | boolean>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, String(value)]));
}

function withoutKeys(value: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
