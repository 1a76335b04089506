import { notAModelConfig, type OtherKind } from './kind.ts';
import { Ledger } from './ledger.ts';
import type { ConfigFormat, ConfigReading } from './report.ts';
import type { ConfigText } from './text/entries.ts';

/** A file that is recognised and has no effect here. */
export interface OtherConfig extends ConfigReading<'other', undefined> {
  /** What it is. */
  readonly what: OtherKind;
}

/** Where a section of deepstream-app is said here. */
const APP_SECTIONS: readonly (readonly [RegExp, string])[] = [
  [/^source/, 'cameras are sensors and streams of the twin'],
  [/^primary-gie$/, 'the model is primaryModelConfigPath of the twin'],
  [/^secondary-gie/, 'the models are secondaryModelConfigPaths of the twin'],
  [/^tracker$/, 'the tracker is trackerConfigPath of the twin'],
  [/^(?:osd|tiled-display)$/, 'the picture with overlays is pipelineOptions.osd of the twin'],
  [/^nvds-analytics/, 'zones and lines are regions of the twin'],
  [
    /^(?:sink|message-converter|message-consumer|img-save)/,
    'insights and clips leave as IoT Edge messages and uploads',
  ],
  [/^(?:streammux|pre-process|ds-3d|nvds-preprocess)/, 'pictures are prepared as the model configuration says'],
  [/^(?:application|tests)$/, 'it is about the program deepstream-app'],
];

/** Lists a file of another kind: each property is there, with why it has no effect. */
export function readOther(what: OtherKind, text: ConfigText, format: ConfigFormat, fileName: string): OtherConfig {
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const why = notAModelConfig(what) ?? '';
  for (const entry of text.entries) {
    const section = what === 'deepstream-app' && APP_SECTIONS.find(([pattern]) => pattern.test(entry.group));
    ledger.leaveOut(entry, section ? section[1] : why);
  }
  if (what === 'empty' || what === 'binary' || what === 'unknown') {
    ledger.problem('error', { line: 0, key: '' }, `not a configuration that can be used: ${why}`);
  }
  const { properties, problems } = ledger;
  return { kind: 'other', what, format, fileName, spec: undefined, properties, problems };
}
