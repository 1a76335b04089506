/** What a model configuration file is written in. */
export type ConfigKind = 'nvinfer-ini' | 'nvinfer-yaml' | 'nvinferserver';

/**
 * Tells the three apart as Azure DeepStream Accelerator does (INI that starts with a section is nvinfer, anything else
 * is nvinferserver), with two additions: the YAML form of nvinfer, and properties before the first section, which are
 * a broken INI rather than protobuf text.
 */
export function detectConfigKind(text: string): ConfigKind {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const first = lines[0] ?? '';
  if (first.startsWith('[')) return 'nvinfer-ini';
  if (first === '---' || first.startsWith('%YAML') || lines.some((line) => /^property\s*:/.test(line))) {
    return 'nvinfer-yaml';
  }
  if (lines.some((line) => line.includes('{'))) return 'nvinferserver';
  return lines.some((line) => line.startsWith('[') || /^[\w-]+\s*=/.test(line)) ? 'nvinfer-ini' : 'nvinferserver';
}
