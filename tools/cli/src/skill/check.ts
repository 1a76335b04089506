import { checkSkill, type SkillFile, type SkillIssue } from '@vantage/skill';
import { issueLine, parametersFrom, readSkillFile, type Outcome } from './read-file.ts';

interface CheckedSkill {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  readonly valid: boolean;
  readonly issues: readonly SkillIssue[];
}

/** Everything that is wrong with the skills of a file. */
export async function checkFile(
  file: string,
  { json, param }: { readonly json: boolean; readonly param: readonly string[] },
): Promise<Outcome> {
  const parameters = [parametersFrom(param)];
  const { skills, issues } = await readSkillFile(file);
  const checked = skills.map(({ document, issues: read }): CheckedSkill => {
    const all = [...read, ...checkSkill(document, { parameters })];
    const name = document.name || document.displayName || file;
    return { name, nodes: document.nodes.length, edges: document.edges.length, valid: isValid(all), issues: all };
  });
  const good = isValid(issues) && checked.every(({ valid }) => valid);
  if (json) return { text: `${JSON.stringify({ valid: good, skills: checked, issues }, undefined, 2)}\n`, good };
  return { text: [...issues.map(issueLine), ...checked.flatMap(linesOf)].map((line) => `${line}\n`).join(''), good };
}

function linesOf({ name, nodes, edges, issues }: CheckedSkill): string[] {
  const count = (severity: SkillIssue['severity']): number =>
    issues.filter((issue) => issue.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const verdict = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : ''];
  const found = verdict.filter((part) => part !== '').join(', ') || 'nothing to complain about';
  return [
    `${name}: ${plural(nodes, 'node')}, ${plural(edges, 'edge')}, ${found}`,
    ...issues.map((one) => `  ${issueLine(one)}`),
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isValid(issues: SkillFile['issues']): boolean {
  return issues.every(({ severity }) => severity !== 'error');
}
