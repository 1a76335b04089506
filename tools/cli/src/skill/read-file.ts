import { isObject } from '@vantage/contracts';
import { parseSkills, type Parameters, type SkillFile, type SkillIssue } from '@vantage/skill';
import { readText } from '../read-text.ts';

/** A file larger than this is no skill; it is not even read into memory. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface Outcome {
  /** For stdout. */
  readonly text: string;
  /** For stderr. */
  readonly problems?: string;
  readonly good: boolean;
}

export interface ReadFile extends SkillFile {
  /** Where the file is no skill but a twin of the controllermodule, or its `components`. */
  readonly twin?: unknown;
}

/** @throws VantageError `INPUT_MISSING` */
export async function readSkillFile(file: string): Promise<ReadFile> {
  const text = await readText(file, { bytes: MAX_BYTES, what: 'skill' });
  const twin = twinIn(text);
  return twin === undefined ? parseSkills(text) : { skills: [], instances: [], issues: [], twin };
}

function twinIn(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if ('azdaConfiguration' in value) return value;
  return Array.isArray(value['skills']) ? { platform: 'DeepStream', components: value } : undefined;
}

/** `name=value` of the command line; without `=` the value is empty. */
export function parametersFrom(given: readonly string[]): Parameters {
  return Object.fromEntries(
    given.map((one) => {
      const at = one.indexOf('=');
      return at === -1 ? [one, ''] : [one.slice(0, at), one.slice(at + 1)];
    }),
  );
}

/** `error    node 3  nodes[2].configurations.port: ...` */
export function issueLine({
  severity,
  node,
  path,
  message,
  atRunTime,
}: Omit<SkillIssue, 'severity'> & { severity: string }): string {
  const where = [node === undefined ? '' : `node ${node}`, path].filter((part) => part !== '').join('  ');
  const instead = atRunTime === undefined ? '' : ` (at run time: ${atRunTime})`;
  return `${severity.padEnd(7)}  ${where === '' ? '' : `${where}: `}${message}${instead}`;
}

/** What is wrong with the way the skills of a file are written, for stderr. */
export function problemsOf({ skills, issues }: SkillFile): string | undefined {
  const said = [...issues, ...skills.flatMap((one) => one.issues)].map((issue) => `${issueLine(issue)}\n`);
  if (skills.length === 0 && said.length === 0) return 'there is no skill in it\n';
  return said.length === 0 ? undefined : said.join('');
}
