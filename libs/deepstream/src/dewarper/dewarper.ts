import { Ledger, lastOfEach } from '../ledger.ts';
import type { ConfigFormat, ConfigReading } from '../report.ts';
import { byGroup, notUsed, readGroup, used, type Rule, type Rules } from '../rules.ts';
import { shorten, type ConfigEntry, type ConfigText } from '../text/entries.ts';
import { choice, integer, number, numbers, type Draft, type Setter } from '../values.ts';

/** What the camera's lens makes of the world. */
export type DewarpSource = 'none' | 'fisheye' | 'perspective' | 'equirectangular';
/** What the picture looks like afterwards. */
export type DewarpTarget =
  | 'none'
  | 'pushbroom'
  | 'vertical-cylinder'
  | 'cylinder'
  | 'perspective'
  | 'fisheye'
  | 'equirectangular'
  | 'panini'
  | 'stereographic';

/** `[surface<n>]`. Angles in degrees, lengths in pixels. Source: `nvdewarper_property_parser.h` of DeepStream. */
export interface DewarpSurface {
  /** The number in the name of the group. */
  readonly id: number;
  /** `projection-type`, a number of `NvDsSurfaceType`. */
  readonly projectionType: number;
  readonly source: DewarpSource;
  readonly target: DewarpTarget;
  /** Tells surfaces of one projection apart. */
  readonly surfaceIndex: number;
  /** Size of the dewarped picture, before it is scaled to the output. */
  readonly width: number;
  readonly height: number;
  readonly topAngle: number;
  readonly bottomAngle: number;
  /** Turns of the view about the x, y and z axis, in the order of `rotationAxes`. */
  readonly pitch: number;
  readonly yaw: number;
  readonly roll: number;
  readonly rotationAxes: string;
  /** Row by row; wins over the three angles. */
  readonly rotationMatrix: readonly number[] | undefined;
  /** Of the source, x and y; undefined where `sourceFov` tells it. */
  readonly focalLength: readonly [number, number] | undefined;
  readonly sourceFov: number | undefined;
  /** k0 to k4 of the lens: radial and tangential for perspective (Brown), polynomial for fisheye. */
  readonly distortion: readonly [number, number, number, number, number];
  /** Principal point of the source; undefined for the middle of the picture. */
  readonly sourceX0: number | undefined;
  readonly sourceY0: number | undefined;
  readonly targetFocalLength: readonly [number, number] | undefined;
  readonly targetPrincipalPoint: readonly [number, number] | undefined;
  /** Panini, stereographic and pushbroom: how much of the projection. */
  readonly control: number;
  readonly line: number;
}

/** The file behind `pipelineOptions.dewarp.config_file`. */
export interface DewarperSpec {
  readonly kind: 'dewarper';
  readonly fileName: string;
  /** Every surface is scaled to this size in pixels. 0 when the file does not say, which is an error. */
  readonly outputWidth: number;
  readonly outputHeight: number;
  /** By id. DeepStream dewarps up to four. */
  readonly surfaces: readonly DewarpSurface[];
}

export type DewarperConfig = ConfigReading<'dewarper', DewarperSpec>;

const MAX_SURFACES = 4;

/** By the numbers of `NvDsSurfaceType` (`nvds_dewarper_meta.h`). */
const PROJECTIONS: readonly (readonly [DewarpSource, DewarpTarget])[] = [
  ['none', 'none'],
  ['fisheye', 'pushbroom'],
  ['fisheye', 'vertical-cylinder'],
  ['perspective', 'perspective'],
  ['fisheye', 'perspective'],
  ['fisheye', 'fisheye'],
  ['fisheye', 'cylinder'],
  ['fisheye', 'equirectangular'],
  ['fisheye', 'panini'],
  ['perspective', 'equirectangular'],
  ['perspective', 'panini'],
  ['equirectangular', 'cylinder'],
  ['equirectangular', 'equirectangular'],
  ['equirectangular', 'fisheye'],
  ['equirectangular', 'panini'],
  ['equirectangular', 'perspective'],
  ['equirectangular', 'pushbroom'],
  ['equirectangular', 'stereographic'],
  ['equirectangular', 'vertical-cylinder'],
];

const MEMORY = 'it is about buffers of the NVIDIA plugin';
const CENTRE = 'the centre of the lens is taken to be the centre of the picture';
const CALIBRATION = 'calibration tables are not read; write the surfaces out as [surface0], [surface1], ...';

const PROPERTY_RULES: Rules<Draft<DewarperSpec>> = new Map<string, Rule<Draft<DewarperSpec>>>([
  ['output-width', used(integer({ min: 1, max: 16384 }, (d, v) => void (d.outputWidth = v)))],
  ['output-height', used(integer({ min: 1, max: 16384 }, (d, v) => void (d.outputHeight = v)))],
  ['num-batch-buffers', notUsed(MEMORY, integer({ min: 0, max: MAX_SURFACES }, ignore))],
  ['cuda-memory-type', notUsed(MEMORY)],
  ['dewarp-dump-frames', notUsed('frames are not dumped')],
  ['aisle-calibration-file', notUsed(CALIBRATION)],
  ['spot-calibration-file', notUsed(CALIBRATION)],
]);

type SurfaceDraft = Draft<DewarpSurface>;
const angle = (assign: (d: SurfaceDraft, v: number) => void): Rule<SurfaceDraft> =>
  used(number({ min: -360, max: 360 }, assign));
const axes: Setter<SurfaceDraft> = (surface, text) => {
  if (!/^[XYZ]{3}$/i.test(text)) return `'${shorten(text)}' is not three of X, Y and Z`;
  surface.rotationAxes = text;
  return undefined;
};
const pair = ([x = 0, y = x]: readonly number[]): readonly [number, number] => [x, y];

const SURFACE_RULES: Rules<SurfaceDraft> = new Map<string, Rule<SurfaceDraft>>([
  [
    'projection-type',
    used(
      choice(new Map(PROJECTIONS.map(([from, to], type) => [String(type), `${from} to ${to}`])), (d, meaning) => {
        d.projectionType = PROJECTIONS.findIndex(([from, to]) => `${from} to ${to}` === meaning);
        [d.source, d.target] = PROJECTIONS[d.projectionType] ?? ['none', 'none'];
      }),
    ),
  ],
  [
    'surface-index',
    notUsed(
      'a camera shows one picture: that of the first surface section',
      integer({ min: 0 }, (d, v) => void (d.surfaceIndex = v)),
    ),
  ],
  ['width', used(integer({ min: 0, max: 16384 }, (d, v) => void (d.width = v)))],
  ['height', used(integer({ min: 0, max: 16384 }, (d, v) => void (d.height = v)))],
  ['top-angle', angle((d, v) => void (d.topAngle = v))],
  ['bottom-angle', angle((d, v) => void (d.bottomAngle = v))],
  ['pitch', angle((d, v) => void (d.pitch = v))],
  ['yaw', angle((d, v) => void (d.yaw = v))],
  ['roll', angle((d, v) => void (d.roll = v))],
  ['rot-axes', used(axes)],
  [
    'rot-matrix',
    notUsed(
      'pitch, yaw and roll turn the view',
      numbers([9], (d, v) => void (d.rotationMatrix = v)),
    ),
  ],
  ['focal-length', used(numbers([1, 2], (d, v) => void (d.focalLength = pair(v))))],
  ['src-fov', used(number({ min: 0, max: 360 }, (d, v) => void (d.sourceFov = v)))],
  [
    'distortion',
    used(
      numbers(
        [1, 2, 3, 4, 5],
        (d, [k0 = 0, k1 = 0, k2 = 0, k3 = 0, k4 = 0]) => void (d.distortion = [k0, k1, k2, k3, k4]),
      ),
    ),
  ],
  [
    'src-x0',
    notUsed(
      CENTRE,
      number({}, (d, v) => void (d.sourceX0 = v)),
    ),
  ],
  [
    'src-y0',
    notUsed(
      CENTRE,
      number({}, (d, v) => void (d.sourceY0 = v)),
    ),
  ],
  ['dst-focal-length', used(numbers([1, 2], (d, v) => void (d.targetFocalLength = pair(v))))],
  [
    'dst-principal-point',
    notUsed(
      CENTRE,
      numbers([2], (d, v) => void (d.targetPrincipalPoint = pair(v))),
    ),
  ],
  [
    'control',
    notUsed(
      'the pushbroom projection is drawn as a cylinder of equal areas',
      number({}, (d, v) => void (d.control = v)),
    ),
  ],
  ['cuda-address-mode', notUsed('it says what CUDA does beside the picture; black stands there')],
]);

/** Reads a dewarper file from a text whose kind is known. */
export function readDewarper(text: ConfigText, format: ConfigFormat, fileName: string): DewarperConfig {
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const spec: Draft<DewarperSpec> = { kind: 'dewarper', fileName, outputWidth: 0, outputHeight: 0, surfaces: [] };
  const groups = byGroup(lastOfEach(text.entries, ledger));
  readGroup(groups.get('property') ?? [], PROPERTY_RULES, spec, ledger, 'nvdewarper');
  if (spec.outputWidth === 0 || spec.outputHeight === 0) {
    const sentence = 'the size of the picture is missing: set output-width and output-height in [property]';
    ledger.problem('error', { line: 0, key: 'output-width' }, sentence);
  }
  const surfaces: DewarpSurface[] = [];
  for (const [group, entries] of groups) {
    if (group === 'property') continue;
    const id = /^surface(\d{1,4})$/.exec(group)?.[1];
    if (id !== undefined) surfaces.push(readSurface(Number(id), entries, ledger));
    else for (const entry of entries) ledger.leaveOut(entry, `nvdewarper has no section [${group}]`);
  }
  spec.surfaces = surfaces.sort((a, b) => a.id - b.id);
  const [, , , , fifth] = spec.surfaces;
  if (surfaces.length === 0) {
    ledger.problem('error', { line: 0, key: '' }, 'there is no surface to dewarp to: add a section [surface0]');
  } else if (fifth) {
    const sentence = `${surfaces.length} surfaces; DeepStream dewarps at most ${MAX_SURFACES}`;
    ledger.problem('warning', { line: fifth.line, key: '' }, sentence);
  }
  return { kind: 'dewarper', format, fileName, spec, properties: ledger.properties, problems: ledger.problems };
}

function readSurface(id: number, entries: readonly ConfigEntry[], ledger: Ledger): DewarpSurface {
  const surface: SurfaceDraft = {
    id,
    projectionType: 0,
    source: 'none',
    target: 'none',
    surfaceIndex: 0,
    width: 0,
    height: 0,
    topAngle: 0,
    bottomAngle: 0,
    pitch: 0,
    yaw: 0,
    roll: 0,
    rotationAxes: 'YXZ',
    rotationMatrix: undefined,
    focalLength: undefined,
    sourceFov: undefined,
    distortion: [0, 0, 0, 0, 0],
    sourceX0: undefined,
    sourceY0: undefined,
    targetFocalLength: undefined,
    targetPrincipalPoint: undefined,
    control: 0.6,
    line: entries[0]?.line ?? 0,
  };
  readGroup(entries, SURFACE_RULES, surface, ledger, 'nvdewarper');
  const place = { line: surface.line, key: 'projection-type' };
  if (surface.projectionType === 0) {
    ledger.problem('warning', place, `[surface${id}] has no projection-type: the picture stays as it is`);
  } else if (surface.width === 0 || surface.height === 0) {
    ledger.problem('error', { line: surface.line, key: 'width' }, `[surface${id}] has no width and height`);
  }
  return surface;
}

function ignore(): void {
  // The value is checked and goes nowhere.
}
