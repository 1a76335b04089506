import type { RegionOfInterest } from '../messages/inference.ts';
import { isObject } from '../json.ts';
import { regionOfInterestSchema } from '../twins/controller-twin.ts';
import { pathOf, withoutNulls, type Report } from './report.ts';
import { quote } from './wording.ts';

const DEFAULT_COLOR = '#ff0000';

/** Sums of steps such as 0.1 end a little beside 0 and 1. */
const ROUNDING = 1e-6;

/** Below this share of the picture a region holds no object's centre for long: most likely its corners are on one line. */
const MIN_AREA = 1e-9;

const LEFT_OUT = 'The region is left out.';

/** A region in the twin, or undefined and a report. `sensor` is the owner, whatever the region says (B.2). */
export function readRegion(value: unknown, path: string, sensor: string, report: Report): RegionOfInterest | undefined {
  if (!isObject(value)) {
    report.error(path, `expected an object with label, color and coordinates. ${LEFT_OUT}`);
    return undefined;
  }
  report.unknownKeys(value, Object.keys(regionOfInterestSchema.shape), path);
  const region = report.parse(regionOfInterestSchema, withoutNulls(value), path, LEFT_OUT);
  if (region === undefined) return undefined;

  const at = pathOf(path, 'coordinates');
  if (region.coordinates.length < 3) {
    report.error(at, `a region needs at least 3 corners, this has ${region.coordinates.length}. ${LEFT_OUT}`);
    return undefined;
  }
  const outside = region.coordinates.findIndex((corner) =>
    corner.some((part) => part < -ROUNDING || part > 1 + ROUNDING),
  );
  if (outside !== -1) {
    const remedy = 'Coordinates are fractions 0..1 of the picture, not pixels';
    report.error(pathOf(at, outside), `the corner lies outside the picture. ${remedy}. ${LEFT_OUT}`);
    return undefined;
  }
  const coordinates = region.coordinates.map(([x, y]): [number, number] => [clamp(x), clamp(y)]);
  if (areaOf(coordinates) < MIN_AREA) report.warn(at, 'the corners enclose no area, so nothing is ever inside.');

  const color = region.color ?? DEFAULT_COLOR;
  const known = /^#[0-9a-f]{6}$/i.test(color);
  if (!known) report.warn(pathOf(path, 'color'), `expected #rrggbb. ${quote(DEFAULT_COLOR)} is used.`);
  if (region.sensor !== undefined && region.sensor !== sensor) {
    report.warn(
      pathOf(path, 'sensor'),
      `names ${quote(region.sensor)} but the region belongs to ${quote(sensor)}, which counts.`,
    );
  }
  return { label: region.label ?? '', color: known ? color : DEFAULT_COLOR, coordinates, sensor };
}

function clamp(part: number): number {
  return Math.min(1, Math.max(0, part));
}

/** Shoelace formula. */
function areaOf(corners: readonly (readonly [number, number])[]): number {
  let twice = 0;
  let previous = corners.at(-1) ?? [0, 0];
  for (const corner of corners) {
    twice += previous[0] * corner[1] - corner[0] * previous[1];
    previous = corner;
  }
  return Math.abs(twice) / 2;
}
