import { parameterValues, substituteNode, type SkillDocument, type SkillNode } from '@vantage/skill';
import { parametersFrom, problemsOf, readSkillFile, type Outcome } from './read-file.ts';

/** The graphs of the skills of a file. */
export async function showFile(
  file: string,
  { json, param }: { readonly json: boolean; readonly param: readonly string[] },
): Promise<Outcome> {
  const parameters = parametersFrom(param);
  const read = await readSkillFile(file);
  const documents = read.skills.map(({ document }) => withParameters(document, parameters));
  const problems = problemsOf(read);
  const text = json
    ? `${JSON.stringify(documents.map(asJson), undefined, 2)}\n`
    : documents.map((document) => `${drawSkill(document).join('\n')}\n`).join('\n');
  return { text, ...(problems === undefined ? {} : { problems }), good: documents.length > 0 };
}

type Drawn = Pick<SkillDocument, 'name' | 'displayName' | 'nodes' | 'edges'>;

function withParameters(document: SkillDocument, parameters: Readonly<Record<string, string>>): Drawn {
  const values = parameterValues(document, parameters);
  return { ...document, nodes: document.nodes.map((node) => substituteNode(node, values)) };
}

function asJson({ name, displayName, nodes, edges }: Drawn): unknown {
  return {
    name,
    displayName,
    nodes: nodes.map(({ id, type, name: own, model, configurations }) => ({
      id,
      type,
      name: own,
      model,
      configurations: Object.fromEntries(configurations),
    })),
    edges: edges.map(({ from, to }) => ({ from, to })),
  };
}

/**
 * A tree from the camera on. A node that several lead to is drawn once; afterwards there is only a reference to it. What
 * nothing leads to comes below.
 */
export function drawSkill({ name, displayName, nodes, edges }: Drawn): string[] {
  const lines = [name || displayName || 'skill'];
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const drawn = new Set<string>();
  const draw = (id: string, first: string, rest: string): void => {
    const node = byId.get(id);
    if (!node) lines.push(`${first}${id}  is missing`);
    else if (drawn.has(id)) lines.push(`${first}${id}  as above`);
    else {
      drawn.add(id);
      lines.push(`${first}${describe(node)}`);
      const targets = [...new Set(edges.filter(({ from }) => from === id).map(({ to }) => to))];
      targets.forEach((target, index) => {
        const last = index === targets.length - 1;
        draw(target, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
      });
    }
  };
  for (const { id } of nodes.filter(({ type }) => type === 'source')) draw(id, '', '');
  const targets = new Set(edges.map(({ to }) => to));
  const loose = (pool: readonly SkillNode[]): void => {
    for (const { id } of pool) {
      if (drawn.has(id)) continue;
      if (!lines.includes(LOOSE)) lines.push(LOOSE);
      draw(id, '', '');
    }
  };
  // Beginnings first, then what only a cycle leads to.
  loose(nodes.filter(({ id }) => !targets.has(id)));
  loose(nodes);
  return lines;
}

const LOOSE = 'nothing leads from the camera to:';
const MAX_VALUE_CHARS = 40;

function describe({ id, type, name, model, configurations }: SkillNode): string {
  const settings = [...configurations].map(([key, value]) => {
    const shown = SECRET.test(key) ? '***' : value;
    return `${key}=${shown.length > MAX_VALUE_CHARS ? `${shown.slice(0, MAX_VALUE_CHARS)}…` : shown}`;
  });
  const what = model === undefined ? `${type} ${name}` : `${type} ${name} (${model})`;
  return [id, what, ...settings].map((part) => part.replaceAll(/[\p{Cc}]/gu, '?')).join('  ');
}

const SECRET = /token|password|secret/i;
