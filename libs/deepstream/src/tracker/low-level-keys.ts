/** What a value of the low-level tracker must look like. */
export type ValueShape = 'number' | 'whole' | 'flag' | 'text' | 'numbers';

/** Why a property has no effect; where there is no reason, `low-level-tracker.ts` gives it one. */
export interface TrackerKey {
  readonly shape: ValueShape;
  readonly notUsed?: string;
}

const CORRELATION =
  'it belongs to the correlation filter of NvDCF, which looks at pixels; tracking here looks at boxes';
const REID = 'objects are told apart by where they are, not by how they look';
const REASSOC = 'a track that ended is not joined to a later one';
const NOISE = 'the motion model here has noise of its own, in proportion to the size of the box';
const THREE_D = 'there is no 3D tracking';
const MULTI_VIEW = 'every camera is tracked by itself';
const POSE = 'there is no pose estimation inside the tracker';
const SEGMENTER = 'there is no segmentation inside the tracker';
const META = 'tracks are not written out besides the insights';

const number: TrackerKey = { shape: 'number' };
const whole: TrackerKey = { shape: 'whole' };
const flag: TrackerKey = { shape: 'flag' };

function keys(shape: ValueShape, notUsed: string, names: string): [string, TrackerKey][] {
  return names.split(' ').map((name) => [name, { shape, notUsed }]);
}

/** The settings of a network inside the tracker (`ReID`, `PoseEstimator`). */
function network(notUsed: string): [string, TrackerKey][] {
  return [
    ...keys('whole', notUsed, 'batchSize workspaceSize networkMode inputOrder colorFormat'),
    ...keys('numbers', notUsed, 'inferDims offsets'),
    ...keys('number', notUsed, 'netScaleFactor'),
    ...keys('flag', notUsed, 'keepAspc useVPICropScaler'),
    ...keys('text', notUsed, 'onnxFile modelEngineFile tltEncodedModel tltModelKey calibrationTableFile uffFile'),
    ...keys('text', notUsed, 'modelFile protoFile inputBlobName outputBlobName'),
  ];
}

/** Every documented property (DeepStream 5 to 7) by section. */
export const TRACKER_KEYS: ReadonlyMap<string, ReadonlyMap<string, TrackerKey>> = new Map(
  Object.entries({
    BaseConfig: [['minDetectorConfidence', number]],
    TargetManagement: [
      ['probationAge', whole],
      ['maxShadowTrackingAge', whole],
      ['earlyTerminationAge', whole],
      ...keys('flag', 'boxes are not drawn out beyond the edge of the picture', 'enableBboxUnClipping'),
      ...keys('flag', 'every camera counts its own ids', 'preserveStreamUpdateOrder'),
      ['maxTargetsPerStream', whole],
      ['minIouDiff4NewTarget', number],
      ...keys('number', CORRELATION, 'minTrackerConfidence minTrackingConfidenceDuringInactive'),
      ['searchRegionPaddingScale', number],
      ...keys('number', CORRELATION, 'minVisibility4Tracking'),
      ...keys('whole', META, 'outputTerminatedTracks outputShadowTracks maxTrajectoryBufferLength'),
      ...keys('text', META, 'terminatedTrackFilename'),
      ...keys('number', 'tracks that overlap are both kept', 'minIou4TargetDuplicate targetDuplicateRunInterval'),
    ],
    TrajectoryManagement: [
      ['useUniqueID', flag],
      ...keys('flag', REASSOC, 'enableReAssoc'),
      ...keys('number', REASSOC, 'minMatchingScore4Overall minTrackletMatchingScore minMatchingScore4ReidSimilarity'),
      ...keys('number', REASSOC, 'matchingScoreWeight4TrackletSimilarity matchingScoreWeight4ReidSimilarity'),
      ...keys('number', REASSOC, 'minTrajectoryLength4Projection prepLength4TrajectoryProjection'),
      ...keys('number', REASSOC, 'trajectoryProjectionLength maxAngle4TrackletMatching'),
      ...keys('number', REASSOC, 'minSpeedSimilarity4TrackletMatching minBboxSizeSimilarity4TrackletMatching'),
      ...keys('number', REASSOC, 'maxTrackletMatchingTimeSearchRange trajectoryProjectionProcessNoiseScale'),
      ...keys('number', REASSOC, 'trajectoryProjectionMeasurementNoiseScale trackletSpacialSearchRegionScale'),
      ...keys('number', REASSOC, 'reidExtractionInterval'),
    ],
    DataAssociator: [
      ['dataAssociatorType', whole],
      ['associationMatcherType', whole],
      ['checkClassMatch', flag],
      ['minMatchingScore4Iou', number],
      ['tentativeDetectorConfidence', number],
      ['minMatchingScore4TentativeIou', number],
      ['usePrediction4Assoc', flag],
      ['minMatchingScore4Overall', number],
      ['minMatchingScore4SizeSimilarity', number],
      ['matchingScoreWeight4SizeSimilarity', number],
      ['matchingScoreWeight4Iou', number],
      ['matchingScoreWeight4VisualSimilarity', number],
      ...keys('number', CORRELATION, 'minMatchingScore4VisualSimilarity'),
      ...keys('number', REID, 'minMatchingScore4ReidSimilarity matchingScoreWeight4ReidSimilarity'),
      ...keys('number', 'matching here goes by overlap, not by Mahalanobis distance', 'thresholdMahalanobis'),
      ...keys('number', MULTI_VIEW, 'minMatchingScore4PeerAssocIou'),
    ],
    StateEstimator: [
      ['stateEstimatorType', whole],
      ...keys('number', NOISE, 'processNoiseVar4Loc processNoiseVar4Size processNoiseVar4Vel'),
      ...keys('number', NOISE, 'measurementNoiseVar4Detector measurementNoiseVar4Tracker'),
      ['noiseWeightVar4Loc', number],
      ['noiseWeightVar4Vel', number],
      ...keys('flag', NOISE, 'useAspectRatio'),
    ],
    VisualTracker: [
      ['visualTrackerType', whole],
      ...keys('flag', CORRELATION, 'useColorNames useHog useHighPrecisionFeature'),
      ...keys('whole', CORRELATION, 'featureImgSizeLevel vpiBackend4DcfTracker'),
      ...keys('number', CORRELATION, 'featureFocusOffsetFactor_y filterLr filterChannelWeightsLr gaussianSigma'),
    ],
    ReID: [
      ['reidType', whole],
      ...keys('whole', REID, 'reidFeatureSize reidHistorySize'),
      ...keys('flag', REID, 'addFeatureNormalization outputReidTensor'),
      ...keys('number', REID, 'minVisibility4GalleryUpdate'),
      ...network(REID),
    ],
    ObjectModelProjection: [
      ...keys('text', THREE_D, 'cameraModelFilepath'),
      ...keys('flag', THREE_D, 'outputVisibility outputFootLocation outputConvexHull'),
      ...keys('number', THREE_D, 'minPoseConfidence objectModelType'),
    ],
    PoseEstimator: [...keys('whole', POSE, 'poseEstimatorType poseInferenceInterval'), ...network(POSE)],
    MultiViewAssociator: [
      ...keys('whole', MULTI_VIEW, 'multiViewAssociatorType maxPeerTrackletSize recentlyActiveAge'),
      ...keys('flag', MULTI_VIEW, 'enableLatePeerReAssoc enableIDCorrection enableSeeThrough enableMsgSync'),
      ...keys('number', MULTI_VIEW, 'minCommonFrames4MatchScore maxPeerToPredDistance4Fusion'),
      ...keys('number', MULTI_VIEW, 'minPeerVisibility4Fusion minPeerTrackletMatchScore'),
      ...keys('number', MULTI_VIEW, 'maxTrackletMatchingTimeSearchRange maxPeerFrameDiff4NoDet'),
      ...keys('number', MULTI_VIEW, 'communicatorInitSleepTime'),
    ],
    Communicator: [
      ...keys('whole', MULTI_VIEW, 'communicatorType'),
      ...keys('text', MULTI_VIEW, 'pubSubInfoConfigPath mqttProtoAdaptorConfigPath'),
    ],
    Segmenter: [...keys('whole', SEGMENTER, 'segmenterType'), ...keys('text', SEGMENTER, 'segmenterConfigPath')],
    // DeepStream 5 had one section for all of NvDCF.
    NvDCF: [
      ['minDetectorConfidence', number],
      ['probationAge', whole],
      ['maxShadowTrackingAge', whole],
      ['earlyTerminationAge', whole],
      ['minMatchingScore4Iou', number],
      ['useUniqueID', flag],
      ['checkClassMatch', flag],
      ['maxTargetsPerStream', whole],
      ['minIouDiff4NewTarget', number],
      ...keys('number', CORRELATION, 'filterLr filterChannelWeightsLr gaussianSigma minTrackerConfidence'),
      ['SearchRegionPaddingScale', number],
      ['searchRegionPaddingScale', number],
      ...keys('number', CORRELATION, 'featureImgSizeLevel'),
      // NVIDIA's own files spell it so.
      ...keys('number', CORRELATION, 'minVisibiilty4Tracking minVisibility4Tracking'),
      ...keys('number', CORRELATION, 'featureFocusOffsetFactor_y minMatchingScore4VisualSimilarity'),
      ...keys('flag', CORRELATION, 'useColorNames useHog useHighPrecisionFeature useBufferedOutput'),
      ...keys('number', CORRELATION, 'minTrackingConfidenceDuringInactive'),
      ['minMatchingScore4Overall', number],
      ['minMatchingScore4SizeSimilarity', number],
      ['matchingScoreWeight4SizeSimilarity', number],
      ['matchingScoreWeight4Iou', number],
      ['matchingScoreWeight4VisualSimilarity', number],
      ...keys('number', 'motion counts as the place where an object is expected', 'minMatchingScore4Motion'),
      ...keys('number', 'motion counts as the place where an object is expected', 'matchingScoreWeight4Motion'),
      ...keys('number', 'matching is for the best sum of all', 'useGlobalMatching'),
      ...keys('number', 'tracks out of sight count among all', 'maxTargetsPerStreamShadow'),
      ...keys('number', NOISE, 'kfProcessNoiseVar4Loc kfProcessNoiseVar4Scale kfProcessNoiseVar4Vel'),
      ...keys('number', NOISE, 'kfMeasurementNoiseVar4Det kfMeasurementNoiseVar4Trk'),
    ],
  } satisfies Record<string, [string, TrackerKey][]>).map(([section, entries]) => [section, new Map(entries)]),
);
