import type { ConfigLine, Proposal } from './propose.ts';

/** An nvinfer configuration, each line with its reason above it. */
export function configText({ property, classAttributes, notes }: Proposal, onnxFile: string): string {
  const head = [
    `# Proposed by "vantage model check" for ${onnxFile}. Change what you know better.`,
    ...notes.map((note) => `# Note: ${note}.`),
  ];
  return `${[...head, '[property]', ...property.flatMap(lines), ...section(classAttributes)].join('\n')}\n`;
}

function section(attributes: readonly ConfigLine[]): string[] {
  return attributes.length === 0 ? [] : ['', '[class-attrs-all]', ...attributes.flatMap(lines)];
}

function lines({ key, value, why }: ConfigLine): string[] {
  return [...(why === undefined ? [] : [`# ${oneLine(why)}`]), `${key}=${value}`];
}

/** Reasons quote names out of a model: none of them may start a line of its own. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}
