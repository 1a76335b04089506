import type { FrameInsights } from '@vantage/skill';
import { alternatives, type Preparation } from '../proposal/preparation.ts';

export interface Tried {
  readonly preparation: Preparation;
  /** How sure the model is of what it sees: mean over the pictures. */
  readonly clearness: number;
}

/** A way has to be clearer by so much than the one that is taken without pictures. */
const CLEARER = 1.15;

/**
 * A model sees most in pictures that are prepared as those it was trained on: the ways that are common are tried on a
 * user's own pictures. Undefined for models whose answers do not tell (embeddings, raw numbers).
 *
 * @param look what the model says about each picture, prepared in this way
 */
export async function tryPreparations(
  chosen: Preparation,
  look: (preparation: Preparation) => Promise<readonly FrameInsights[]>,
): Promise<{ readonly best: Preparation; readonly tried: readonly Tried[] } | undefined> {
  const first = clearnessOf(await look(chosen));
  if (first === undefined) return undefined;
  const tried: Tried[] = [{ preparation: chosen, clearness: first }];
  for (const preparation of alternatives(chosen)) {
    if (sameNumbers(preparation, chosen)) continue;
    tried.push({ preparation, clearness: clearnessOf(await look(preparation)) ?? 0 });
  }
  tried.sort((a, b) => b.clearness - a.clearness);
  const [top] = tried;
  const better = top !== undefined && top.clearness > CLEARER * first;
  return { best: better ? top.preparation : chosen, tried };
}

function sameNumbers(a: Preparation, b: Preparation): boolean {
  const of = ({ colour, scale, offsets = [0, 0, 0] }: Preparation): string =>
    `${colour} ${scale.toFixed(4)} ${offsets.join()}`;
  return of(a) === of(b);
}

/** The five surest boxes, or the surest class, or the text. */
function clearnessOf(frames: readonly FrameInsights[]): number | undefined {
  const scores = frames.map(({ detections, classifications, text, segmentation, embedding, tensors }) => {
    if (segmentation ?? embedding ?? tensors) return undefined;
    if (text) return text.score * Math.min(text.text.length, 5);
    if (classifications && classifications.length > 0) return classifications[0]?.confidence ?? 0;
    return detections
      .map(({ confidence }) => confidence)
      .toSorted((a, b) => b - a)
      .slice(0, 5)
      .reduce((a, b) => a + b, 0);
  });
  if (scores.length === 0 || scores.includes(undefined)) return undefined;
  return scores.reduce((sum: number, score) => sum + (score ?? 0), 0) / scores.length;
}
