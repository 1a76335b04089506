import { toBareSkill, toSymphonySkill, toSymphonyYaml, type SkillFile } from '@vantage/skill';
import { problemsOf, readSkillFile, type Outcome } from './read-file.ts';

type Documents = SkillFile['skills'][number]['document'][];

/** Skills as entries of a twin's `components.skills`: one object, or a list where the file holds several. */
export async function importFile(file: string, { json }: { readonly json: boolean }): Promise<Outcome> {
  return converted(file, (documents) => {
    const entries = documents.map((document) => {
      const bare = toBareSkill(document);
      return { id: document.name || document.displayName || 'skill', ...bare, instances: bare['instances'] ?? [] };
    });
    const text = JSON.stringify(entries.length === 1 ? entries[0] : entries, undefined, json ? undefined : 2);
    return `${text}\n`;
  });
}

/** Skills in Symphony's form. */
export async function exportFile(file: string, { json }: { readonly json: boolean }): Promise<Outcome> {
  return converted(file, (documents) => {
    if (!json) return documents.map(toSymphonyYaml).join('---\n');
    const skills = documents.map(toSymphonySkill);
    return `${JSON.stringify(skills.length === 1 ? skills[0] : skills, undefined, 2)}\n`;
  });
}

/** What is wrong with the way a skill is written is said, and does not keep it from being written anew. */
async function converted(file: string, write: (documents: Documents) => string): Promise<Outcome> {
  const read = await readSkillFile(file);
  const { skills, issues } = read;
  const problems = problemsOf(read);
  const said = [...issues, ...skills.flatMap((one) => one.issues)];
  return {
    text: skills.length === 0 ? '' : write(skills.map(({ document }) => document)),
    ...(problems === undefined ? {} : { problems }),
    good: skills.length > 0 && said.every(({ severity }) => severity !== 'error'),
  };
}
