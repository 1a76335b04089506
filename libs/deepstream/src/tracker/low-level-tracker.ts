import { Ledger, lastOfEach } from '../ledger.ts';
import type { ConfigFormat } from '../report.ts';
import { listItems, shorten, type ConfigEntry, type ConfigText } from '../text/entries.ts';
import { didYouMean } from '../text/suggest.ts';
import { readNumber, readNumbers, type Draft } from '../values.ts';
import { TRACKER_KEYS, type ValueShape } from './low-level-keys.ts';
import type {
  LowLevelTrackerConfig,
  LowLevelTrackerSpec,
  NvidiaTracker,
  TrackerTuning,
  TrackerValue,
} from './low-level-spec.ts';

type Values = Record<string, Record<string, TrackerValue>>;

/** Reads the settings of NVIDIA's low-level tracker from a text whose kind is known. */
export function readLowLevelTracker(text: ConfigText, format: ConfigFormat, fileName: string): LowLevelTrackerConfig {
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const values: Values = {};
  const good = lastOfEach(text.entries, ledger).filter((entry) => readValue(entry, values, ledger));
  const algorithm = algorithmOf(text, values);
  const { runsAs, runsAsReason } = standIn(algorithm, values);
  const tuning: Draft<TrackerTuning> = {};
  for (const entry of good) {
    const why = TRACKER_KEYS.get(entry.group)?.get(entry.key)?.notUsed ?? apply(entry, values, runsAs, tuning);
    if (why === undefined) ledger.use(entry);
    else ledger.leaveOut(entry, why);
  }
  const spec: LowLevelTrackerSpec = {
    kind: 'low-level-tracker',
    fileName,
    algorithm,
    runsAs,
    runsAsReason,
    tuning,
    values,
  };
  const { properties, problems } = ledger;
  return { kind: 'low-level-tracker', format, fileName, spec, properties, problems };
}

/** Whether the entry is known and well formed; if not it is in the ledger already. */
function readValue(entry: ConfigEntry, values: Values, ledger: Ledger): boolean {
  const section = TRACKER_KEYS.get(entry.group);
  const known = section?.get(entry.key);
  if (known === undefined) {
    const hint = section ? didYouMean(entry.key, section.keys()) : didYouMean(entry.group, TRACKER_KEYS.keys());
    const what = section
      ? `the low-level tracker has no such property in ${entry.group}`
      : `the low-level tracker has no section '${shorten(entry.group)}'`;
    ledger.leaveOut(entry, `${what}${hint}`);
    ledger.problem('warning', entry, `'${shorten(entry.key)}': ${what}${hint}`);
    return false;
  }
  const value = shaped(entry.value, known.shape);
  if (value === undefined) {
    const wrong = `'${shorten(entry.value)}' is not ${SHAPE_NAMES[known.shape]}`;
    ledger.problem('error', entry, `${entry.key}: ${wrong}`);
    ledger.leaveOut(entry, wrong);
    return false;
  }
  (values[entry.group] ??= {})[entry.key] = value;
  return true;
}

const SHAPE_NAMES: Readonly<Record<ValueShape, string>> = {
  number: 'a number',
  whole: 'a whole number',
  flag: '0 or 1',
  text: 'a word',
  numbers: 'a list of numbers',
};

function shaped(text: string, shape: ValueShape): TrackerValue | undefined {
  const value = readNumber(text);
  switch (shape) {
    case 'number':
      return value;
    case 'whole':
      return Number.isSafeInteger(value) ? value : undefined;
    case 'flag': {
      const word = text.toLowerCase();
      if (word === 'true' || word === 'false') return word === 'true' ? 1 : 0;
      return value === 0 || value === 1 ? value : undefined;
    }
    case 'numbers':
      return readNumbers(text);
    case 'text':
      return listItems(text).length === 0 ? undefined : text;
  }
}

/** A file switches its parts on by their types; a section that is missing is off. */
function algorithmOf({ groups }: ConfigText, values: Values): NvidiaTracker {
  if (groups.some(({ name }) => name === 'NvDCF')) return 'NvDCF';
  if (Number(values['VisualTracker']?.['visualTrackerType'] ?? 0) > 0) return 'NvDCF';
  const reid = values['ReID']?.['reidType'];
  if (reid === 1 || reid === 3) return 'NvDeepSORT';
  return Number(values['StateEstimator']?.['stateEstimatorType'] ?? 0) > 0 ? 'NvSORT' : 'IOU';
}

function standIn(algorithm: NvidiaTracker, values: Values): Pick<LowLevelTrackerSpec, 'runsAs' | 'runsAsReason'> {
  if (algorithm === 'IOU') {
    return { runsAs: 'iou', runsAsReason: 'no motion model and no features: the IoU tracker does the same' };
  }
  if (algorithm === 'NvDCF') {
    const runsAsReason =
      'NvDCF: matching by overlap, size and place around where an object is expected, without its look at pixels';
    return { runsAs: 'nvdcf', runsAsReason };
  }
  const without = algorithm === 'NvSORT' ? '' : ', without looking at pixels as it does';
  if (values['DataAssociator']?.['associationMatcherType'] === 1) {
    const runsAsReason = `${algorithm} with cascaded matching: ByteTrack matches strong and weak detections in turn${without}`;
    return { runsAs: 'bytetrack', runsAsReason };
  }
  if (leastConfidence(values) > 0) {
    const runsAsReason = `${algorithm}: motion model and matching of SORT, with a least score${without}`;
    return { runsAs: 'bytetrack', runsAsReason };
  }
  return { runsAs: 'sort', runsAsReason: `${algorithm}: motion model and matching of SORT${without}` };
}

function leastConfidence(values: Values): number {
  return Number(values['BaseConfig']?.['minDetectorConfidence'] ?? values['NvDCF']?.['minDetectorConfidence'] ?? 0);
}

/** Settings of NvDCF's matching by their names here. */
const SCORES = {
  minMatchingScore4Overall: 'scoreThreshold',
  minMatchingScore4SizeSimilarity: 'sizeThreshold',
  matchingScoreWeight4SizeSimilarity: 'sizeWeight',
  matchingScoreWeight4Iou: 'overlapWeight',
  matchingScoreWeight4VisualSimilarity: 'responseWeight',
  searchRegionPaddingScale: 'reach',
  SearchRegionPaddingScale: 'reach',
} as const;

/** Takes a setting over; returns why it has no effect where it has none. */
function apply(
  { key, group }: ConfigEntry,
  values: Values,
  runsAs: LowLevelTrackerSpec['runsAs'],
  tuning: Draft<TrackerTuning>,
): string | undefined {
  const raw = values[group]?.[key];
  const value = typeof raw === 'number' ? raw : 0;
  const cascaded = values['DataAssociator']?.['associationMatcherType'] === 1;
  const rounds = cascaded && (runsAs === 'bytetrack' || runsAs === 'nvdcf');
  switch (key) {
    case 'minDetectorConfidence':
      if (value <= 0) return undefined;
      if (runsAs === 'iou') return 'the IoU tracker looks at every detection that the model configuration lets pass';
      tuning.lowThreshold = value;
      if (!cascaded) tuning.highThreshold = tuning.newTrackThreshold = value;
      return undefined;
    case 'tentativeDetectorConfidence':
      if (!rounds) return 'only cascaded matching (associationMatcherType 1) has weak detections';
      // Below the least score there are no detections, also where the file wants weak ones there.
      tuning.highThreshold = tuning.newTrackThreshold = Math.max(value, leastConfidence(values));
      return undefined;
    case 'minMatchingScore4TentativeIou':
      if (!rounds) return 'only cascaded matching (associationMatcherType 1) has weak detections';
      tuning.lowIouThreshold = value;
      return undefined;
    case 'minMatchingScore4Iou':
      if (value <= 0 && runsAs !== 'nvdcf')
        return "0 leaves matching to scores that are not looked at here; the tracker's own default counts";
      tuning.iouThreshold = value;
      return undefined;
    case 'probationAge':
      tuning.minHits = Math.max(0, value) + 1;
      return undefined;
    case 'maxShadowTrackingAge':
      tuning.maxAgeFrames = Math.max(0, value);
      return undefined;
    case 'earlyTerminationAge':
      return value <= 1 ? undefined : 'a track without an id ends with the first frame it is not seen in';
    case 'checkClassMatch':
      tuning.matchClasses = value === 1;
      return undefined;
    case 'maxTargetsPerStream':
      if (value < 1) return 'there is always room for a track';
      tuning.maxTracks = value;
      return undefined;
    case 'minIouDiff4NewTarget':
      tuning.maxOverlapToStart = value;
      return undefined;
    case 'noiseWeightVar4Loc':
    case 'noiseWeightVar4Vel':
      if (runsAs === 'iou') return 'the IoU tracker has no motion model';
      if (value <= 0) return 'without noise a motion model would never change its mind';
      tuning[key === 'noiseWeightVar4Loc' ? 'positionNoise' : 'velocityNoise'] = value;
      return undefined;
    case 'minMatchingScore4Overall':
    case 'minMatchingScore4SizeSimilarity':
    case 'matchingScoreWeight4SizeSimilarity':
    case 'matchingScoreWeight4Iou':
    case 'matchingScoreWeight4VisualSimilarity':
    case 'searchRegionPaddingScale':
    case 'SearchRegionPaddingScale':
      if (runsAs !== 'nvdcf') return `matching of ${runsAs} goes by overlap alone`;
      if (value < 0) return 'it cannot be less than 0';
      tuning[SCORES[key]] = value;
      return undefined;
    case 'useUniqueID':
      return value === 0 ? undefined : 'ids are small numbers that count up, safe in JSON';
    case 'usePrediction4Assoc':
      if (runsAs === 'iou') return 'the IoU tracker has no motion model';
      return value === 1 ? undefined : 'detections are compared with where the motion model expects the object';
    case 'associationMatcherType':
      return runsAs === 'iou' && cascaded ? 'the IoU tracker has one round of matching' : undefined;
    case 'visualTrackerType':
      return value === 0 ? undefined : 'tracking here looks at boxes, not at pixels';
    case 'reidType':
      return value === 0 ? undefined : 'objects are told apart by where they are, not by how they look';
    case 'stateEstimatorType':
      return value === 3 ? 'there is no 3D tracking; boxes are followed in the picture' : undefined;
    default:
      return undefined;
  }
}
