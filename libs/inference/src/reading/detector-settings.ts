import type { ClassAttributes, InferSpec } from '@vantage/deepstream';
import { parseSettings, type ParseSettings, type SuppressionSettings } from '@vantage/vision';

type Clustering = NonNullable<SuppressionSettings['clustering']>;

/** Score thresholds as the class attributes say. */
export function thresholdsOf({ classAttributes, filterOutClassIds }: InferSpec): ParseSettings {
  const { all, perClass } = classAttributes;
  return parseSettings(
    all.preClusterThreshold,
    mapped(perClass, (own) => own.preClusterThreshold),
    filterOutClassIds,
  );
}

/**
 * What becomes of overlapping boxes. A configuration that says so has the last word; nvinfer's default would suppress
 * what the model has suppressed already, so the parser's own stands in for it.
 */
export function suppressionOf(
  { clusterMode, clusterModeIsDefault, classAttributes: { all, perClass } }: InferSpec,
  ofParser: 'nms' | 'none',
): SuppressionSettings {
  return {
    mode: clusterModeIsDefault ? ofParser : clusterMode,
    iouThreshold: all.nmsIouThreshold,
    iouThresholds: mapped(perClass, (own) => own.nmsIouThreshold),
    ...(all.topK === undefined ? {} : { topK: all.topK }),
    topKs: mapped(perClass, (own) => own.topK),
    clustering: clusteringOf(all),
    clusterings: mapped(perClass, clusteringOf),
  };
}

function clusteringOf({ eps, minBoxes, dbscanMinScore, groupThreshold }: ClassAttributes): Clustering {
  return { eps, minBoxes, minScore: dbscanMinScore, groupThreshold };
}

function mapped<T>(
  perClass: ReadonlyMap<number, ClassAttributes>,
  of: (own: ClassAttributes) => T | undefined,
): Map<number, T> {
  return new Map(
    [...perClass].flatMap(([classId, own]) => {
      const value = of(own);
      return value === undefined ? [] : [[classId, value]];
    }),
  );
}
