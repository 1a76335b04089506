import { Ledger, lastOfEach } from '../ledger.ts';
import type { ConfigFormat } from '../report.ts';
import { byGroup, notUsed, readGroup, used, type Rule, type Rules } from '../rules.ts';
import { shorten, type ConfigEntry, type ConfigText } from '../text/entries.ts';
import { didYouMean } from '../text/suggest.ts';
import { choice, flag, integer, integers, readNumbers, type Draft } from '../values.ts';
import type {
  AnalyticsConfig,
  AnalyticsMode,
  AnalyticsPoint,
  AnalyticsSpec,
  DirectionRule,
  LineRule,
  OvercrowdingRule,
  RegionRule,
} from './spec.ts';

const OSD = 'the overlay says what it draws (pipelineOptions.osd)';

type SpecDraft = Draft<AnalyticsSpec>;

const PROPERTY_RULES: Rules<SpecDraft> = new Map<string, Rule<SpecDraft>>([
  ['enable', used(flag((d, v) => void (d.enabled = v)))],
  ['config-width', used(integer({ min: 1, max: 65536 }, (d, v) => void (d.width = v)))],
  ['config-height', used(integer({ min: 1, max: 65536 }, (d, v) => void (d.height = v)))],
  ['osd-mode', notUsed(OSD)],
  ['display-font-size', notUsed(OSD)],
  ['display-obj-cnt', notUsed(OSD)],
  ['obj-cnt-win-in-ms', notUsed('objects are counted frame by frame')],
]);

/** What the rules of one group have in common, whatever they are about. */
interface Settings {
  enabled: boolean;
  classIds: readonly number[];
  inverse: boolean;
  objectThreshold: number;
  timeThresholdMs: number;
  mode: AnalyticsMode;
  extended: boolean;
}

const MODES = new Map<string, AnalyticsMode>([
  ['strict', 'strict'],
  ['balanced', 'balanced'],
  ['loose', 'loose'],
]);

const SHARED: readonly (readonly [string, Rule<Settings>])[] = [
  ['enable', used(flag((d, v) => void (d.enabled = v)))],
  ['class-id', used(integers(-1, (d, v) => void (d.classIds = v.includes(-1) ? [] : v)))],
];
const MODE: readonly [string, Rule<Settings>] = ['mode', used(choice(MODES, (d, v) => void (d.mode = v)))];
const MODE_DIRECTION: readonly [string, Rule<Settings>] = [
  'mode-dir',
  notUsed('the direction of a line is that of its arrow'),
];

interface Family {
  /** What stands before the label in the key of a shape: `roi-RF`. */
  readonly shapePrefix: string;
  readonly rules: Rules<Settings>;
  readonly add: (spec: Lists, base: Base, points: readonly AnalyticsPoint[], settings: Settings) => string | undefined;
}

type Base = Pick<RegionRule, 'stream' | 'name' | 'enabled' | 'classIds' | 'line'>;

interface Lists {
  readonly regions: RegionRule[];
  readonly overcrowding: OvercrowdingRule[];
  readonly lines: LineRule[];
  readonly directions: DirectionRule[];
}

const FAMILIES: ReadonlyMap<string, Family> = new Map<string, Family>([
  [
    'roi-filtering',
    {
      shapePrefix: 'roi-',
      rules: new Map([...SHARED, ['inverse-roi', used(flag((d, v) => void (d.inverse = v)))]]),
      add: ({ regions }, base, polygon, { inverse }) =>
        withPolygon(polygon, () => void regions.push({ ...base, polygon, inverse })),
    },
  ],
  [
    'overcrowding',
    {
      shapePrefix: 'roi-',
      rules: new Map([
        ...SHARED,
        ['object-threshold', used(integer({ min: 0 }, (d, v) => void (d.objectThreshold = v)))],
        ['time-threshold', used(integer({ min: 0 }, (d, v) => void (d.timeThresholdMs = v)))],
      ]),
      add: ({ overcrowding }, base, polygon, { objectThreshold, timeThresholdMs }) =>
        withPolygon(polygon, () => void overcrowding.push({ ...base, polygon, objectThreshold, timeThresholdMs })),
    },
  ],
  [
    'line-crossing',
    {
      shapePrefix: 'line-crossing-',
      rules: new Map([...SHARED, MODE, MODE_DIRECTION, ['extended', used(flag((d, v) => void (d.extended = v)))]]),
      add: ({ lines }, base, points, { mode, extended }) => {
        const [from, to, start, end] = points;
        if (!from || !to || !start || !end || points.length > 4) {
          return `${points.length} points, not 4: from and to of the arrow, then start and end of the line`;
        }
        if (same(start, end)) return 'start and end of the line are one point';
        if (same(from, to)) return 'from and to of the arrow are one point';
        lines.push({ ...base, direction: [from, to], segment: [start, end], mode, extended });
        return undefined;
      },
    },
  ],
  [
    'direction-detection',
    {
      shapePrefix: 'direction-',
      rules: new Map([...SHARED, MODE]),
      add: ({ directions }, base, points, { mode }) => {
        const [from, to] = points;
        if (!from || !to || points.length > 2) return `${points.length} points, not 2: from and to of the arrow`;
        if (same(from, to)) return 'from and to of the arrow are one point';
        directions.push({ ...base, direction: [from, to], mode });
        return undefined;
      },
    },
  ],
]);

/** Reads zones and lines of nvdsanalytics from a text whose kind is known. */
export function readAnalytics(text: ConfigText, format: ConfigFormat, fileName: string): AnalyticsConfig {
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const lists: Lists = { regions: [], overcrowding: [], lines: [], directions: [] };
  const spec: SpecDraft = { kind: 'nvdsanalytics', fileName, enabled: true, width: 0, height: 0, ...lists };
  const groups = byGroup(lastOfEach(text.entries, ledger));
  readGroup(groups.get('property') ?? [], PROPERTY_RULES, spec, ledger, 'nvdsanalytics');
  if (spec.width === 0 || spec.height === 0) {
    const sentence = 'the size that the coordinates belong to is missing: set config-width and config-height';
    ledger.problem('error', { line: 0, key: 'config-width' }, sentence);
  }
  for (const [group, entries] of groups) if (group !== 'property') readRules(group, entries, lists, spec, ledger);
  return { kind: 'nvdsanalytics', format, fileName, spec, properties: ledger.properties, problems: ledger.problems };
}

function readRules(
  group: string,
  entries: readonly ConfigEntry[],
  lists: Lists,
  size: Pick<AnalyticsSpec, 'width' | 'height'>,
  ledger: Ledger,
): void {
  const [, name = '', stream = ''] = /^(.+)-stream-(\d{1,6})$/.exec(group) ?? [];
  const family = FAMILIES.get(name);
  if (family === undefined) {
    const [first] = entries;
    const known = [...FAMILIES.keys()].map((each) => `${each}-stream-${stream === '' ? '0' : stream}`);
    const why = `nvdsanalytics has no section [${group}]${didYouMean(group, known)}`;
    ledger.problem('warning', { line: first?.line ?? 0, key: '' }, why);
    for (const entry of entries) ledger.leaveOut(entry, why);
    return;
  }
  const settings: Settings = {
    enabled: true,
    classIds: [],
    inverse: false,
    objectThreshold: 0,
    timeThresholdMs: 0,
    mode: 'balanced',
    extended: false,
  };
  // Settings of a group count for all its shapes, wherever they stand.
  const isShape = ({ key }: ConfigEntry): boolean => key.startsWith(family.shapePrefix) && !family.rules.has(key);
  const plain = entries.filter((entry) => !isShape(entry));
  readGroup(plain, family.rules, settings, ledger, 'nvdsanalytics');
  const shapes = entries.filter(isShape);
  for (const entry of shapes) {
    const { enabled, classIds } = settings;
    const label = entry.key.slice(family.shapePrefix.length);
    const base: Base = { stream: Number(stream), name: label, enabled, classIds, line: entry.line };
    const points = readPoints(entry, size, ledger);
    const wrong = typeof points === 'string' ? points : family.add(lists, base, points, settings);
    if (wrong === undefined) ledger.use(entry);
    else {
      ledger.problem('error', entry, `${entry.key}: ${wrong}`);
      ledger.leaveOut(entry, wrong);
    }
  }
  if (shapes.length === 0) {
    const sentence = `[${group}] has no ${family.shapePrefix}<label>: it does nothing`;
    ledger.problem('warning', { line: entries[0]?.line ?? 0, key: '' }, sentence);
  }
}

/** The points, or what is wrong with them. A point outside of the picture is reported and taken. */
function readPoints(
  entry: ConfigEntry,
  { width, height }: Pick<AnalyticsSpec, 'width' | 'height'>,
  ledger: Ledger,
): AnalyticsPoint[] | string {
  const values = readNumbers(entry.value);
  if (values === undefined) return `'${shorten(entry.value)}' is not a list of numbers with ';' between them`;
  if (values.length % 2 === 1) return `${values.length} numbers are no pairs of x and y`;
  const points: AnalyticsPoint[] = [];
  for (let index = 0; index < values.length; index += 2) {
    points.push({ x: values[index] ?? 0, y: values[index + 1] ?? 0 });
  }
  const outside = points.find(({ x, y }) => x < 0 || y < 0 || x > width || y > height);
  if (outside && width > 0 && height > 0) {
    const where = `${outside.x};${outside.y} is outside of the ${width}x${height} picture`;
    ledger.problem('warning', entry, `${entry.key}: ${where}`);
  }
  return points;
}

function withPolygon(polygon: readonly AnalyticsPoint[], add: () => void): string | undefined {
  if (polygon.length < 3) return `${polygon.length} points are no polygon; it needs at least 3`;
  add();
  return undefined;
}

function same(a: AnalyticsPoint, b: AnalyticsPoint): boolean {
  return a.x === b.x && a.y === b.y;
}
