import {
  MODULES,
  mergeTwin,
  readAiPipelineTwin,
  readModuleTwin,
  readVideoUploaderTwin,
  validateConfiguration,
  type ConfigIssue,
  type TwinObject,
} from '@vantage/contracts';
import { PARSER_NAMES } from '@vantage/vision';
import { compileComponents } from './compile.ts';
import { describeStep, type StepEffect } from './describe-step.ts';
import type { SkillGraph } from './graph.ts';
import { planChange } from './plan.ts';

/** What a change of a twin would do. */
export interface TwinPlan {
  readonly effects: readonly StepEffect[];
  /** What of the new twin is wrong and would be left out. */
  readonly issues: readonly Pick<ConfigIssue, 'severity' | 'path' | 'message'>[];
  /** The new twin would be refused as a whole: what runs goes on. */
  readonly refused: boolean;
}

/** What of a module's settings is felt when; the others apply at once. */
interface SettingsOf {
  readonly read: (desired: TwinObject) => { readonly settings: object };
  readonly felt: ReadonlyMap<string, string>;
}

const SETTINGS: ReadonlyMap<string, SettingsOf> = new Map<string, SettingsOf>([
  [
    MODULES.aiPipeline,
    {
      read: readAiPipelineTwin,
      felt: new Map([
        ['outputVideoLength', 'applies from the next clip on'],
        ['autoStopRecordingTime', 'applies at once, to a recording that runs, too'],
        ['messageEveryNFrames', 'applies from the next frame on'],
        ['preRollTime', 'applies from the next clip on'],
        ['postRollTime', 'applies from the next stop on'],
      ]),
    },
  ],
  [MODULES.videoUploader, { read: readVideoUploaderTwin, felt: new Map() }],
]);

/**
 * What a patch of desired properties would do, by the same validation, compilation and plan that the modules use.
 *
 * @param desired the desired properties that are now
 */
export function planTwin(module: string, desired: TwinObject, patch: TwinObject): TwinPlan {
  const wanted = mergeTwin(desired, patch);
  if (module === MODULES.controller) return planComponents(desired, wanted);
  const issues = issuesOf(module, wanted);
  const settings = SETTINGS.get(module);
  if (settings) return { effects: effectsOf(module, settings, desired, wanted), issues, refused: false };
  const text = `${module} decides by itself what a change does; cameras and models do not notice`;
  return { effects: [{ how: 'live', node: module, text }], issues, refused: false };
}

function planComponents(desired: TwinObject, wanted: TwinObject): TwinPlan {
  const before = graphsOf(desired);
  const after = graphsOf(wanted);
  const issues = [...after.errors, ...after.warnings];
  if (!after.graphs) return { effects: [], issues, refused: true };
  return { effects: planChange(before.graphs ?? [], after.graphs).map(describeStep), issues, refused: false };
}

function graphsOf(desired: TwinObject): {
  readonly graphs: readonly SkillGraph[] | undefined;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: TwinPlan['issues'];
} {
  const { components, errors, warnings } = validateConfiguration(desired, { parsers: PARSER_NAMES });
  if (!components) return { graphs: undefined, errors, warnings };
  const { graphs, notes } = compileComponents(components);
  const sentences = notes.map(({ pipeline, message }) => ({ severity: 'warning' as const, path: pipeline, message }));
  return { graphs, errors, warnings: [...warnings, ...sentences] };
}

function issuesOf(module: string, wanted: TwinObject): TwinPlan['issues'] {
  const { errors = [], warnings = [] } = readModuleTwin(module, wanted) ?? {};
  return [...errors, ...warnings];
}

function effectsOf(module: string, { read, felt }: SettingsOf, desired: TwinObject, wanted: TwinObject): StepEffect[] {
  const before = new Map(Object.entries(read(desired).settings));
  return Object.entries(read(wanted).settings)
    .filter(([key, value]) => before.get(key) !== value)
    .map(([key, value]) => ({
      how: 'live',
      node: `${module}/${key}`,
      text: `${String(before.get(key))} becomes ${String(value)}; ${felt.get(key) ?? 'applies at once'}`,
    }));
}
