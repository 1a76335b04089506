import { validateConfiguration } from '@vantage/contracts';
import { checkSkill, compileSkills, type SkillFile, type SkillIssue } from '@vantage/skill';
import { PARSER_NAMES } from '@vantage/vision';
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
  const { skills, issues, twin } = await readSkillFile(file);
  if (twin !== undefined) return checkTwin(twin, json);
  const checked = skills.map(({ document, issues: read }): CheckedSkill => {
    const all = [...read, ...checkSkill(document, { parameters })];
    const name = document.name || document.displayName || file;
    return { name, nodes: document.nodes.length, edges: document.edges.length, valid: isValid(all), issues: all };
  });
  const good = isValid(issues) && checked.length > 0 && checked.every(({ valid }) => valid);
  if (json) return { text: `${JSON.stringify({ valid: good, skills: checked, issues }, undefined, 2)}\n`, good };
  const lines = [...issues.map(issueLine), ...checked.flatMap(linesOf)];
  return {
    text: textOf(checked.length === 0 && isValid(issues) ? [...lines, 'there is no skill in it'] : lines),
    good,
  };
}

/** As the controllermodule would: with the models and cameras that the twin has. */
function checkTwin(twin: unknown, json: boolean): Outcome {
  const { components, errors, warnings } = validateConfiguration(twin, { parsers: PARSER_NAMES });
  const compiled = components ? compileSkills(components) : { graphs: [], issues: [] };
  const issues = [...errors, ...warnings, ...compiled.issues];
  const good = issues.every(({ severity }) => severity !== 'error');
  const pipelines = compiled.graphs.map(({ id }) => id);
  if (json) return { text: `${JSON.stringify({ valid: good, pipelines, issues }, undefined, 2)}\n`, good };
  const head = `twin: ${plural(components?.skills.length ?? 0, 'skill')}, ${plural(pipelines.length, 'pipeline')} of them`;
  return { text: textOf([head, ...issues.map((issue) => `  ${issueLine(issue)}`)]), good };
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
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
