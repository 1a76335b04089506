import { describe, expect, test } from '@jest/globals';
import { parseTrackerConfig } from '../read-config.ts';

function read(text: string): { tuning: unknown; runsAs: string; notUsed: Record<string, string | undefined> } {
  const config = parseTrackerConfig(text, 'tracker.yml');
  if (config.kind !== 'low-level-tracker') throw new Error(`read as ${config.kind}`);
  const notUsed = config.properties.filter(({ use }) => use === 'not-used');
  return {
    tuning: config.spec.tuning,
    runsAs: config.spec.runsAs,
    notUsed: Object.fromEntries(notUsed.map(({ key, reason }) => [key, reason])),
  };
}

describe('low-level tracker', () => {
  test('NvDCF: its association runs, its look at pixels does not', () => {
    const { tuning, runsAs, notUsed } = read(`%YAML:1.0
BaseConfig:
  minDetectorConfidence: 0
TargetManagement:
  maxTargetsPerStream: 150
  minIouDiff4NewTarget: 0.5
  probationAge: 3
  maxShadowTrackingAge: 30
  searchRegionPaddingScale: 2
DataAssociator:
  associationMatcherType: 0
  checkClassMatch: 0
  minMatchingScore4Overall: 0.1
  minMatchingScore4SizeSimilarity: 0.6
  minMatchingScore4Iou: 0.0
  minMatchingScore4VisualSimilarity: 0.7
  matchingScoreWeight4VisualSimilarity: 0.6
  matchingScoreWeight4SizeSimilarity: 0.0
  matchingScoreWeight4Iou: 0.4
VisualTracker:
  visualTrackerType: 1
  filterLr: 0.075
`);
    expect(runsAs).toBe('nvdcf');
    expect(tuning).toEqual({
      maxTracks: 150,
      maxOverlapToStart: 0.5,
      minHits: 4,
      maxAgeFrames: 30,
      reach: 2,
      matchClasses: false,
      scoreThreshold: 0.1,
      sizeThreshold: 0.6,
      iouThreshold: 0,
      responseWeight: 0.6,
      sizeWeight: 0,
      overlapWeight: 0.4,
    });
    expect(Object.keys(notUsed)).toEqual(['minMatchingScore4VisualSimilarity', 'visualTrackerType', 'filterLr']);
  });

  test('NvSORT with cascaded matching is ByteTrack with the noise of the file', () => {
    const { tuning, runsAs, notUsed } = read(`BaseConfig:
  minDetectorConfidence: 0.1
DataAssociator:
  associationMatcherType: 1
  tentativeDetectorConfidence: 0.4
  minMatchingScore4TentativeIou: 0.3
  matchingScoreWeight4Iou: 0.4
StateEstimator:
  stateEstimatorType: 2
  noiseWeightVar4Loc: 0.03
  noiseWeightVar4Vel: 0.0017
`);
    expect(runsAs).toBe('bytetrack');
    expect(tuning).toEqual({
      lowThreshold: 0.1,
      highThreshold: 0.4,
      newTrackThreshold: 0.4,
      lowIouThreshold: 0.3,
      positionNoise: 0.03,
      velocityNoise: 0.0017,
    });
    expect(notUsed).toEqual({ matchingScoreWeight4Iou: 'matching of bytetrack goes by overlap alone' });
  });

  test('values that cannot be used say why', () => {
    const { tuning, runsAs, notUsed } = read(`TargetManagement:
  maxTargetsPerStream: 0
DataAssociator:
  minMatchingScore4Iou: 0.2
StateEstimator:
  noiseWeightVar4Loc: 0.05
`);
    expect(runsAs).toBe('iou');
    expect(tuning).toEqual({ iouThreshold: 0.2 });
    expect(notUsed).toEqual({
      maxTargetsPerStream: 'there is always room for a track',
      noiseWeightVar4Loc: 'the IoU tracker has no motion model',
    });
  });
});
