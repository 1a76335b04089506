import { LIMITS, type SkillDocument, type SkillNode } from './document.ts';

/** Values by parameter name. */
export type Parameters = Readonly<Record<string, string>>;

const REFERENCE = /\$param\(\s*([^()\s]{1,128})\s*\)/g;

/** Names that a text refers to with `$param(name)`. */
export function referencesIn(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}

/**
 * The value of each declared parameter: the skill's default, unless a later one of `layers` has another. Names that the
 * skill does not declare have no effect (contract F).
 */
export function parameterValues(
  { parameters }: SkillDocument,
  ...layers: readonly (Parameters | undefined)[]
): ReadonlyMap<string, string> {
  const values = new Map(parameters);
  for (const layer of layers) {
    for (const name of values.keys()) {
      const given = layer !== undefined && Object.hasOwn(layer, name) ? layer[name] : undefined;
      if (given !== undefined) values.set(name, given);
    }
  }
  return values;
}

/**
 * Textual and once: a value that looks like a reference itself is not looked at again. Others stay as they are, also what
 * would make the text longer than a value may be.
 */
export function substitute(text: string, values: ReadonlyMap<string, string>): string {
  let chars = text.length;
  return text.replace(REFERENCE, (whole, name: string) => {
    const value = values.get(name);
    if (value === undefined || chars + value.length > LIMITS.valueChars) return whole;
    chars += value.length;
    return value;
  });
}

/** The node with its parameters put in. */
export function substituteNode(node: SkillNode, values: ReadonlyMap<string, string>): SkillNode {
  const { model } = node;
  return {
    ...node,
    configurations: new Map([...node.configurations].map(([key, text]) => [key, substitute(text, values)])),
    ...(model === undefined ? {} : { model: substitute(model, values) }),
  };
}
