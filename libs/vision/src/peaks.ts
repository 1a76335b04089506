import { CandidateList } from './candidates.ts';
import { parseSettings, thresholdOf } from './parsers/shape.ts';
import type { ParseOutputs, ParseSettings, TensorData } from './parsers/types.ts';

/** The best score that a class had in a picture, kept or not. */
export interface ScorePeak {
  readonly classId: number;
  /** Empty where the model has no label for it. */
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
  /** What it needed; null: the class is switched off. */
  readonly threshold: number | null;
}

/** Below this, scores say nothing. */
const LOWEST = 0.05;
/** Classes that are told, the best first. */
const MOST = 8;

/** Reads a picture's outputs again, for the best score of each class. Costs a second parse: for single pictures. */
export class PeakFinder {
  readonly #parse: ParseOutputs;
  readonly #settings: ParseSettings;
  readonly #low = parseSettings(LOWEST);
  readonly #candidates = new CandidateList();

  /** @param settings thresholds that decide what is kept */
  constructor(parse: ParseOutputs, settings: ParseSettings) {
    this.#parse = parse;
    this.#settings = settings;
  }

  find(tensors: readonly TensorData[], batchIndex: number, labels: readonly string[]): ScorePeak[] {
    const candidates = this.#candidates;
    candidates.reset();
    this.#parse(tensors, batchIndex, this.#low, candidates);
    const best = new Map<number, number>();
    for (let at = 0; at < candidates.count; at += 1) {
      const classId = candidates.classId[at] as number;
      const score = candidates.score[at] as number;
      if (score > (best.get(classId) ?? 0)) best.set(classId, score);
    }
    return [...best]
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST)
      .map(([classId, score]) => {
        const threshold = thresholdOf(this.#settings, classId);
        const isOn = Number.isFinite(threshold);
        return { classId, label: labels[classId] ?? '', score, threshold: isOn ? threshold : null };
      });
  }
}
