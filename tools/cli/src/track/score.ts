import { clearScores, sum, type ClearScores } from './clear.ts';
import { hotaScores, type HotaScores } from './hota.ts';
import { identityScores, type IdentityScores } from './identity.ts';
import type { Sequence } from './sequence.ts';

/** How good tracks are, by the measures of MOT-Challenge. Rates are 0 to 1; NaN where there is nothing to divide by. */
export interface MotScores extends ClearScores, IdentityScores, HotaScores {
  readonly gtBoxes: number;
  readonly trackerBoxes: number;
}

export function scoreTracks(sequence: Sequence): MotScores {
  return {
    ...clearScores(sequence),
    ...identityScores(sequence),
    ...hotaScores(sequence),
    gtBoxes: sum(sequence.objectLengths),
    trackerBoxes: sum(sequence.trackLengths),
  };
}
