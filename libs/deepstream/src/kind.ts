import type { ConfigFormat } from './report.ts';
import { linesOf, unreadable, type ConfigText } from './text/entries.ts';
import { readIni } from './text/ini.ts';
import { readYaml } from './text/yaml.ts';

/** What a file of a model package or a DeepStream folder is, by its content. */
export type ConfigKind =
  | 'nvinfer-ini'
  | 'nvinfer-yaml'
  | 'nvinferserver'
  | 'tracker'
  | 'low-level-tracker'
  | 'dewarper'
  | 'nvdsanalytics'
  | OtherKind;

/** Kinds that are recognised and have no effect here. */
export type OtherKind =
  | 'nvdspreprocess'
  | 'metamux'
  | 'deepstream-app'
  | 'msgconv'
  | 'message-broker'
  | 'triton-model'
  | 'labels'
  | 'empty'
  | 'binary'
  | 'unknown';

/** A kind with the text it was found in, so that nobody reads it twice. */
export interface FoundKind {
  readonly kind: ConfigKind;
  readonly format: ConfigFormat;
  /** Empty for protobuf text, which is read as messages (`readProtobufText`), and for what is no configuration. */
  readonly text: ConfigText;
}

/**
 * Tells what a file is by what it says, never by its name. Azure DeepStream Accelerator's rule is inside: INI that
 * starts with a section is nvinfer, protobuf text is nvinferserver.
 */
export function detectConfigKind(text: string): ConfigKind {
  return kindOf(text, '').kind;
}

/** {@link detectConfigKind} with what was read on the way. */
export function kindOf(text: string, fileName: string): FoundKind {
  const nothing: ConfigText = { entries: [], groups: [], problems: [] };
  const refused = unreadable(text);
  if (refused !== undefined) {
    const problem = { severity: 'error' as const, file: fileName, line: 0, key: '', message: refused };
    return { kind: 'binary', format: 'text', text: { ...nothing, problems: [problem] } };
  }
  const lines = linesOf(text)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) return { kind: 'empty', format: 'text', text: nothing };
  switch (formatOf(lines)) {
    case 'ini': {
      const read = readIni(text, fileName);
      return { kind: kindOfGroups(read, 'nvinfer-ini'), format: 'ini', text: read };
    }
    case 'yaml': {
      const read = readYaml(text, fileName);
      return { kind: kindOfGroups(read, 'nvinfer-yaml'), format: 'yaml', text: read };
    }
    case 'protobuf-text':
      return {
        kind: lines.some((line) => /^(?:platform|backend|default_model_filename)\s*:/.test(line))
          ? 'triton-model'
          : 'nvinferserver',
        format: 'protobuf-text',
        text: nothing,
      };
    case 'text':
      return { kind: looksLikeLabels(lines) ? 'labels' : 'unknown', format: 'text', text: nothing };
  }
}

function formatOf(lines: readonly string[]): ConfigFormat {
  const [first = ''] = lines;
  const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  if (/^\[[^[\]]+\]/.test(first)) return 'ini';
  if (/^(?:%YAML|---)/.test(first)) return 'yaml';
  if (has(/^(?:infer_config|input_control|output_control)\s*(?::?\s*[{<]|:?$)/)) return 'protobuf-text';
  // A key without a value is a mapping or a list of YAML; protobuf text opens a brace.
  if (has(/^[\w.-]+\s*:\s*(?:#.*)?$/) || /^\{/.test(first)) return 'yaml';
  if (has(/^\[[^[\]]+\]\s*(?:#.*)?$/) || has(/^[\w-]+\s*=/)) return 'ini';
  if (has(/^\w+\s*:?\s*[{<[]/)) return 'protobuf-text';
  return lines.every((line) => /^[\w.-]+\s*:\s/.test(line)) ? 'yaml' : 'text';
}

/** Groups that tell a kind, most telling first: an application's file has a tracker, too. */
const TELLING_GROUPS: readonly (readonly [RegExp, ConfigKind])[] = [
  [
    /^(?:application|primary-gie|secondary-gie\d*|streammux|tiled-display|sink\d+|source\d+|source-list|osd|tests)$/,
    'deepstream-app',
  ],
  [/^tracker$/, 'tracker'],
  [
    /^(?:BaseConfig|TargetManagement|TrajectoryManagement|DataAssociator|StateEstimator|VisualTracker|ReID|NvDCF)\b/,
    'low-level-tracker',
  ],
  [/^surface\d+$/, 'dewarper'],
  [/^(?:roi-filtering|overcrowding|line-crossing|direction-detection)-stream-/, 'nvdsanalytics'],
  [/^message-broker$/, 'message-broker'],
  [/^(?:sensor|place|analytics)\d+$/, 'msgconv'],
];

/** The same for files that only have a `[property]`. */
const TELLING_KEYS: readonly (readonly [RegExp, ConfigKind])[] = [
  [/^(?:active-pad|pts-tolerance)$/, 'metamux'],
  [/^(?:target-unique-ids|network-input-shape|process-on-frame|tensor-buf-pool-size)$/, 'nvdspreprocess'],
  [/^(?:config-width|config-height|osd-mode)$/, 'nvdsanalytics'],
  [/^(?:num-batch-buffers|(?:aisle|spot)-calibration-file)$/, 'dewarper'],
];

function kindOfGroups({ groups, entries }: ConfigText, infer: 'nvinfer-ini' | 'nvinfer-yaml'): ConfigKind {
  // A mapping of YAML that is empty, or broken, is a key at the top.
  const names = [...groups.map(({ name }) => name), ...entries.flatMap(({ group, key }) => (group === '' ? key : []))];
  for (const [pattern, kind] of TELLING_GROUPS) if (names.some((name) => pattern.test(name))) return kind;
  const properties = entries.filter(({ group }) => group === 'property');
  for (const [pattern, kind] of TELLING_KEYS) if (properties.some(({ key }) => pattern.test(key))) return kind;
  return names.some((name) => name === 'property' || name.startsWith('class-attrs-')) ? infer : 'unknown';
}

/** Words, one or several a line. */
function looksLikeLabels(lines: readonly string[]): boolean {
  return lines.every((line) => line.length <= 400 && !/[{}<>=\uFFFD\u0001-\u0008]/.test(line));
}

const NOT_A_MODEL: Readonly<Record<Exclude<ConfigKind, 'nvinfer-ini' | 'nvinfer-yaml' | 'nvinferserver'>, string>> = {
  tracker: 'it configures a tracker; name it in trackerConfigPath',
  'low-level-tracker': 'it holds the settings of a tracker; name it in ll-config-file of the tracker configuration',
  dewarper: 'it configures dewarping; name it in pipelineOptions.dewarp.config_file',
  nvdsanalytics: 'it holds zones and lines for nvdsanalytics',
  nvdspreprocess: 'it configures nvdspreprocess; pictures are prepared as the model configuration says',
  metamux: 'it configures nvdsmetamux, which joins the results of models that run side by side',
  'deepstream-app': 'it describes a whole application of deepstream-app; the twin says that here',
  msgconv: 'it describes sensors and places for nvmsgconv; the twin says that here',
  'message-broker': 'it configures a message broker; messages go over the routes of IoT Edge here',
  'triton-model': 'it is the configuration of a model inside a Triton repository; name the nvinferserver file',
  labels: 'it looks like a list of labels; name it in labelfile-path of the model configuration',
  empty: 'it holds nothing but comments',
  binary: 'it is no text of a size that can be read',
  unknown: 'nothing in it tells of DeepStream',
};

/** Why a file of this kind is no model configuration and where it belongs; undefined for one that is. */
export function notAModelConfig(kind: ConfigKind): string | undefined {
  return kind === 'nvinfer-ini' || kind === 'nvinfer-yaml' || kind === 'nvinferserver' ? undefined : NOT_A_MODEL[kind];
}
