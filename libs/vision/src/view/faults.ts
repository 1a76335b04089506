import type { UsualView, ViewMeasures } from './measure.ts';
import type { ViewFault } from './settings.ts';

export interface FaultContext {
  /** Undefined while the view is not known yet. */
  readonly usual: UsualView | undefined;
  readonly sensitivity: number;
  /** It has begun: to end, it has to be gone clearly. */
  readonly isTold: boolean;
}

/**
 * Limits that real scenes and the same scenes made bad lie well on either side of (`view.spec.ts` has them). While a
 * fault is told its limit is a quarter wider, so that a value that trembles does not tell it over and over.
 */
export const isFault: Readonly<Record<ViewFault, (measures: ViewMeasures, context: FaultContext) => boolean>> = {
  black: ({ light, brightest }, context) => light < 14 * slack(context) && brightest < 26 * slack(context),

  /** Cells lost their structure, and with it the broad play of light, which blur leaves. Or there never was any. */
  covered: ({ lost, broadLikeness, structure, steepness, change }, context) => {
    const s = slack(context);
    if (structure < 0.002 * s && Number.isNaN(steepness)) return !(broadLikeness > 0.9) && change < 12;
    return lost > 0.7 / s && broadLikeness < 0.75 * s;
  },

  /** Light that fades over many pixels everywhere, also where this camera's edges used to be steeper. */
  blurred: ({ steepness, structure, broadLikeness, lost }, context) => {
    const usual = context.usual?.steepness ?? Number.NaN;
    if (Number.isNaN(steepness)) return usual > 0 && structure > 0 && (broadLikeness > 0.8 || lost < 0.6);
    const s = slack(context);
    if (steepness < 0.25 + 0.08 * s) return true;
    return steepness < 0.25 + 0.45 * s * (usual - 0.25) && broadLikeness > 0.6;
  },

  /** Not even noise changes; a key frame of a still picture may repaint it slightly. */
  frozen: ({ change, largestChange }, context) => change < 0.2 * slack(context) && largestChange < 1.6 * slack(context),

  /** It is more like itself somewhere else, or like nothing that was there. What passes by leaves the rest in place. */
  moved: ({ likeness, likenessElsewhere, structure }, context) =>
    structure > 0.003 && (likeness < 0.35 * slack(context) || likenessElsewhere > likeness + 0.04 / slack(context)),
};

function slack({ sensitivity, isTold }: FaultContext): number {
  return sensitivity * (isTold ? 1.25 : 1);
}
