import type { SkillDocument } from './document.ts';
import { Fields } from './fields.ts';
import { Issues, type SkillIssue } from './issue.ts';
import { readContainer, type ContainerForm } from './nodes/container.ts';
import { formOf } from './nodes/grpc.ts';
import { typeOf } from './nodes/registry.ts';
import { parameterValues, substituteNode, type Parameters } from './parameters.ts';

/** A container that a node of a skill brings along. */
export interface SkillContainer {
  readonly node: string;
  readonly form: ContainerForm;
}

/**
 * The containers that a deployment needs for a skill, and what is wrong with the forms of others. Never throws.
 *
 * @param parameters what an instance sets; later ones win
 */
export function containersOf(
  document: SkillDocument,
  ...parameters: readonly (Parameters | undefined)[]
): { readonly containers: readonly SkillContainer[]; readonly issues: readonly SkillIssue[] } {
  const issues = new Issues();
  const values = parameterValues(document, ...parameters);
  const containers = document.nodes.flatMap((written): SkillContainer[] => {
    const type = typeOf(written);
    if (typeof type === 'string' || type.name !== 'grpc_transform') return [];
    const node = substituteNode(written, values);
    const fields = new Fields(node, written, issues);
    const before = issues.all.length;
    const form = formOf(fields) === 'container' ? readContainer(fields) : undefined;
    return form && issues.all.length === before ? [{ node: node.id, form }] : [];
  });
  return { containers, issues: issues.all };
}
