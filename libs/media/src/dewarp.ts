import type { DewarpSurface, DewarperSpec } from '@vantage/deepstream';

/** How the picture of a wide lens is straightened: filters of ffmpeg, and the size of what comes out of them. */
export interface Dewarp {
  readonly filter: string;
  readonly width: number;
  readonly height: number;
}

export interface DewarpPlan {
  /** Absent where nothing is to be done. */
  readonly dewarp?: Dewarp;
  /** What the file asks for and is done otherwise or not at all: sentences for people. */
  readonly notes: readonly string[];
}

/** The names that v360 gives to what the lens, or the target, makes of the world. */
const V360_INPUT = { fisheye: 'fisheye', perspective: 'flat', equirectangular: 'equirect' } as const;
const V360_OUTPUT = {
  perspective: 'flat',
  cylinder: 'cylindrical',
  'vertical-cylinder': 'cylindrical',
  pushbroom: 'cylindricalea',
  equirectangular: 'equirect',
  fisheye: 'fisheye',
  panini: 'pannini',
  stereographic: 'sg',
} as const;

/**
 * A dewarper file as filters of ffmpeg: `lenscorrection` takes the distortion of the lens away, `v360` turns the view
 * and projects it anew, `scale` gives the output size.
 *
 * DeepStream gives each surface as a picture of its own; a camera here has one picture, that of the first surface.
 * Meaning of the properties: the Gst-nvdewarper page of the DeepStream documentation.
 */
export function planDewarp(spec: DewarperSpec): DewarpPlan {
  const [surface, ...others] = spec.surfaces.filter(({ source }) => source !== 'none');
  if (!surface) return { notes: [`${spec.fileName} names no projection: the picture stays as it is`] };
  const notes: string[] = [];
  if (others.length > 0) {
    const left = others.map(({ id }) => `[surface${id}]`).join(', ');
    notes.push(
      `${spec.fileName}: a camera has one picture here, that of [surface${surface.id}]; ${left} is left out, so give it a sensor of its own with a file of its own`,
    );
  }
  const { outputWidth: width, outputHeight: height } = spec;
  const filters = [...correction(surface, spec.fileName, notes), ...projection(surface, spec.fileName, notes)];
  filters.push(`scale=${width}:${height}:flags=bicubic`, 'setsar=1');
  return { dewarp: { filter: filters.join(','), width, height }, notes };
}

/** Brown's radial terms; `lenscorrection` measures in half diagonals where Brown measures in focal lengths. */
function correction(surface: DewarpSurface, fileName: string, notes: string[]): string[] {
  const [k0, k1, k2, k3, k4] = surface.distortion;
  if ([k0, k1, k2, k3, k4].every((value) => value === 0)) return [];
  if (surface.source !== 'perspective') {
    notes.push(`${fileName}: distortion of a ${surface.source} lens is not corrected; only its angle of view counts`);
    return [];
  }
  if (surface.focalLength === undefined) {
    notes.push(`${fileName}: distortion needs focal-length and is left out`);
    return [];
  }
  if (k2 !== 0 || k3 !== 0 || k4 !== 0) {
    notes.push(`${fileName}: of distortion the first two (radial) values count`);
  }
  const [focalX] = surface.focalLength;
  const halfDiagonal = Math.hypot(surface.width, surface.height) / 2;
  const unit = halfDiagonal / focalX;
  const clamp = (value: number) => Math.max(-1, Math.min(1, value));
  const first = clamp(k0 * unit ** 2);
  const second = clamp(k1 * unit ** 4);
  return [`lenscorrection=k1=${round(first)}:k2=${round(second)}:i=bilinear`];
}

function projection(surface: DewarpSurface, fileName: string, notes: string[]): string[] {
  const { source, target } = surface;
  if (source === 'none' || target === 'none') return [];
  const straight = surface.pitch === 0 && surface.yaw === 0 && surface.roll === 0;
  if (source === 'perspective' && target === 'perspective' && straight) return [];
  if (surface.rotationMatrix) notes.push(`${fileName}: rot-matrix is not used; pitch, yaw and roll turn the view`);
  if (target === 'pushbroom') notes.push(`${fileName}: pushbroom is drawn as a cylinder of equal areas`);
  const sourceFov = fieldOfView(surface);
  const view = viewOf(surface);
  const options = {
    input: V360_INPUT[source],
    output: V360_OUTPUT[target],
    ...(source === 'equirectangular' ? {} : { ih_fov: round(sourceFov), iv_fov: round(sourceFov) }),
    h_fov: round(view.horizontal),
    v_fov: round(view.vertical),
    yaw: round(surface.yaw),
    pitch: round(surface.pitch + view.pitch),
    roll: round(surface.roll),
    rorder: order(surface.rotationAxes),
    w: surface.width,
    h: surface.height,
    interp: 'linear',
  };
  return [
    `v360=${Object.entries(options)
      .map(([key, value]) => `${key}=${value}`)
      .join(':')}`,
  ];
}

/** Degrees that the source's picture shows. Without `src-fov` the focal length tells. */
function fieldOfView({ sourceFov, focalLength, source, width }: DewarpSurface): number {
  if (sourceFov !== undefined && sourceFov > 0) return Math.min(360, sourceFov);
  if (source === 'equirectangular') return 360;
  const [focal] = focalLength ?? [0];
  if (!(focal > 0)) return source === 'fisheye' ? 180 : 90;
  // A fisheye is equidistant: an angle is a length over the focal length.
  const half = source === 'fisheye' ? width / 2 / focal : Math.atan(width / 2 / focal);
  return Math.min(360, (2 * half * 180) / Math.PI);
}

/** Degrees that the new picture shows, and where its middle lies. */
function viewOf(surface: DewarpSurface): { horizontal: number; vertical: number; pitch: number } {
  const { target, topAngle, bottomAngle, width, height, targetFocalLength } = surface;
  const byAngles = Math.abs(topAngle - bottomAngle);
  if (target === 'perspective') {
    const [focalX, focalY] = targetFocalLength ?? surface.focalLength ?? [width / 2, width / 2];
    const angle = (length: number, focal: number) => (2 * Math.atan(length / 2 / focal) * 180) / Math.PI;
    return { horizontal: angle(width, focalX), vertical: angle(height, focalY), pitch: 0 };
  }
  const horizontal = Math.min(360, fieldOfView(surface));
  // A cylinder of 180 degrees up and down would be of endless height.
  const limit = target === 'cylinder' || target === 'vertical-cylinder' ? 150 : 180;
  const vertical = Math.min(limit, byAngles > 0 ? byAngles : (horizontal * height) / width);
  return { horizontal, vertical, pitch: byAngles > 0 ? (topAngle + bottomAngle) / 2 : 0 };
}

/** `rot-axes` names x (pitch), y (yaw) and z (roll); v360 names the turns. */
function order(axes: string): string {
  const turns: Readonly<Record<string, string>> = { X: 'p', Y: 'y', Z: 'r' };
  const named = [...axes.toUpperCase()].map((axis) => turns[axis] ?? '').join('');
  return new Set(named).size === 3 ? named : 'ypr';
}

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
