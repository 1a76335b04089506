import { isObject } from '@vantage/contracts';
import { dump } from 'js-yaml';
import type { SkillDocument } from './document.ts';
import { ENVELOPE } from './parse-skills.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The skill in the bare form, which twins hold: the fields of `spec` at the top; what stood around `spec` is kept under
 * `symphony`. Nothing that was read is lost.
 */
export function toBareSkill({ raw }: SkillDocument): Fields {
  const { spec, ...envelope } = raw;
  if (!isObject(spec)) return raw;
  return { ...spec, [ENVELOPE]: envelope };
}

/** `id` and `instances` are the twin's. */
const NOT_IN_SPEC: ReadonlySet<string> = new Set([ENVELOPE, 'id', 'instances']);

/** The skill in Symphony's form; the opposite of {@link toBareSkill}. */
export function toSymphonySkill({ raw, name, displayName }: SkillDocument): Fields {
  if (isObject(raw['spec'])) return raw;
  const kept = raw[ENVELOPE];
  const spec = Object.fromEntries(Object.entries(raw).filter(([key]) => !NOT_IN_SPEC.has(key)));
  if (isObject(kept)) return { ...kept, spec };
  const metadata = { name: name || resourceName(displayName ?? '') };
  return { apiVersion: 'ai.symphony/v1', kind: 'Skill', metadata, spec };
}

/** Symphony's form as YAML. Texts that YAML would read as something else are quoted. */
export function toSymphonyYaml(document: SkillDocument): string {
  return dump(toSymphonySkill(document), { noRefs: true, lineWidth: -1 });
}

/** A name that Kubernetes takes. */
function resourceName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return name || 'skill';
}
