import { streamUri, type Components, type ConfigIssue, type SkillConfig, type SkillSensor } from '@vantage/contracts';
import { compileSkill, type SkillCamera } from './compile-skill.ts';
import { checkSkill } from './document/check-skill.ts';
import type { SkillDocument } from './document/document.ts';
import { isFatal, quote, type SkillIssue } from './document/issue.ts';
import type { SkillModel } from './document/nodes/node-type.ts';
import { parseSkill } from './document/parse-skills.ts';
import type { SkillGraph } from './graph.ts';

export interface CompiledSkills {
  readonly graphs: readonly SkillGraph[];
  /** With the paths of the twin. */
  readonly issues: readonly (ConfigIssue & {
    /** The instance it is about, or the skill where it has none. */
    readonly instance: string;
  })[];
}

/** The skills of a configuration to graphs. One with mistakes is left out by itself. Never throws. */
export function compileSkills({ skills, models, enabled }: Components): CompiledSkills {
  const table = new Map(models.map((model): [string, SkillModel] => [model.name, modelOf(model)]));
  const compiled = skills.map((skill) => compileOne(skill, table));
  return {
    graphs: enabled ? compiled.flatMap(({ graphs }) => graphs) : [],
    issues: compiled.flatMap(({ issues }) => issues),
  };
}

function modelOf({ zip, ...model }: Components['models'][number]): SkillModel {
  return { ...model, ...(zip ? { package: zip } : {}) };
}

function compileOne(
  { id, document: written, path, instances }: SkillConfig,
  models: ReadonlyMap<string, SkillModel>,
): CompiledSkills {
  const { document, issues } = parseSkill(written);
  const place = (list: readonly SkillIssue[], instance: string): CompiledSkills['issues'] =>
    list.map((issue) => ({ ...toConfigIssue(issue, path, document), instance }));
  const [first] = instances;
  const read = place(issues, first?.id ?? id);
  if (!document || issues.some(isFatal)) return { graphs: [], issues: read };
  if (!first) return { graphs: [], issues: [...read, ...place(checkSkill(document, { models }), id)] };
  const compiled = instances.map((instance) => {
    const { sensors, ...rest } = instance;
    return {
      instance: instance.id,
      ...compileSkill(document, { ...rest, skill: id, cameras: sensors.map(cameraOf) }, models),
    };
  });
  const said = new Set<string>();
  const found = compiled.flatMap((one) => place(one.issues, one.instance));
  return {
    graphs: compiled.flatMap(({ graphs }) => graphs),
    // What is wrong with the skill is wrong in each instance.
    issues: [...read, ...found].filter(({ path: at, message }) => {
      const key = `${at} ${message}`;
      return !said.has(key) && said.add(key);
    }),
  };
}

function cameraOf({ sensor, credentials, parameters }: SkillSensor): SkillCamera {
  return {
    source: {
      kind: 'source',
      id: `source/${sensor.name}`,
      sensor: sensor.name,
      url: streamUri({ sensor, ...(credentials ? { credentials } : {}) }),
      regions: sensor.regionsOfInterest.map(({ label, color, coordinates }) => ({ label, color, coordinates })),
      pace: sensor.playback.paced ? 'realtime' : 'asFastAsPossible',
      loop: sensor.playback.loop,
    },
    parameters,
  };
}

function toConfigIssue(issue: SkillIssue, base: string, document: SkillDocument | undefined): ConfigIssue {
  const inside = document && 'spec' in document.raw && issue.path !== '' ? `spec.${issue.path}` : issue.path;
  const node = issue.node === undefined ? '' : `node ${quote(issue.node)}: `;
  const instead = issue.atRunTime === undefined ? '' : `; until then ${issue.atRunTime}`;
  const consequence = isFatal(issue) ? `${/[.?]$/.test(issue.message) ? '' : '.'} The skill is left out.` : '';
  return {
    severity: issue.severity,
    path: inside === '' ? base : `${base}.${inside}`,
    message: `${node}${issue.message}${instead}${consequence}`,
  };
}
