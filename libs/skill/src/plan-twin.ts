import {
  MODULES,
  mergeTwin,
  readAiPipelineTwin,
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

/** When a setting of the ai-pipeline's own twin is felt. */
const SETTINGS: Readonly<Record<string, string>> = {
  outputVideoLength: 'applies from the next clip on',
  autoStopRecordingTime: 'applies at once, to a recording that runs, too',
  messageEveryNFrames: 'applies from the next frame on',
  preRollTime: 'applies from the next clip on',
  postRollTime: 'applies from the next stop on',
  recordingBudgetMB: 'applies at once',
};

/**
 * What a patch of desired properties would do, by the same validation, compilation and plan that the modules use.
 *
 * @param desired the desired properties that are now
 */
export function planTwin(module: string, desired: TwinObject, patch: TwinObject): TwinPlan {
  const wanted = mergeTwin(desired, patch);
  if (module === MODULES.controller) return planComponents(desired, wanted);
  if (module === MODULES.aiPipeline) return planSettings(desired, wanted);
  const text = `${module} decides by itself what a change does; cameras and models do not notice`;
  return { effects: [{ how: 'live', node: module, text }], issues: [], refused: false };
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

function planSettings(desired: TwinObject, wanted: TwinObject): TwinPlan {
  const before = readAiPipelineTwin(desired).settings;
  const { settings, errors, warnings } = readAiPipelineTwin(wanted);
  const effects = Object.entries(settings)
    .filter(([key, value]) => before[key as keyof typeof before] !== value)
    .map(([key, value]): StepEffect => ({
      how: 'live',
      node: `${MODULES.aiPipeline}/${key}`,
      text: `${before[key as keyof typeof before]} becomes ${value}; ${SETTINGS[key] ?? 'applies at once'}`,
    }));
  return { effects, issues: [...errors, ...warnings], refused: false };
}
