import type { Box } from '../detection.ts';
import type { MotionNoise } from './tracker.ts';

/** Frames of this length are what the noise figures of SORT and Deep SORT were tuned on. */
const NOMINAL_FRAME_US = 1_000_000 / 30;

/** Where a track's box is going. */
export interface Motion {
  /** Moves the box on by `elapsedUs` of frame time. */
  predict(elapsedUs: number): void;
  /** Takes a detection in. */
  correct(box: Box): void;
  /** The size keeps still while the object is out of sight: a shrinking box would never be found again. */
  holdSize(): void;
  /** Where the box is. */
  readonly box: Box;
  /** Where it would be `elapsedUs` later; changes nothing. */
  boxIn(elapsedUs: number): Box;
  /** Squared Mahalanobis distance of a centre from where the box is expected, 2 degrees of freedom. */
  distance(x: number, y: number): number;
}

/** No motion: the box is where it was last seen. */
export class Standstill implements Motion {
  box: Box;

  constructor(box: Box) {
    this.box = box;
  }

  predict(): void {
    // Time moves nothing.
  }

  holdSize(): void {
    // Nor does it change a size.
  }

  correct(box: Box): void {
    this.box = box;
  }

  boxIn(): Box {
    return this.box;
  }

  distance(x: number, y: number): number {
    const { left, top, width, height } = this.box;
    return ((x - left - width / 2) ** 2 + (y - top - height / 2) ** 2) / (0.01 * height ** 2);
  }
}

/** Variances of one coordinate: of a measurement, and of value and speed at the start and anew with each frame. */
interface Noise {
  readonly measured: number;
  readonly value: number;
  readonly speed: number;
  readonly valuePerFrame: number;
  readonly speedPerFrame: number;
  /** Times the square of the box's height. */
  readonly relative: boolean;
}

type Noisy = { readonly [Key in keyof MotionNoise]: number | undefined };

/** A box as four coordinates that move and err independently of each other; the first two are its centre. */
export interface MotionModel {
  readonly noise: readonly [Noise, Noise, Noise, Noise];
  /** The coordinate whose speed is the change of size. */
  readonly sizeAxis: 2 | 3;
  /** The third and fourth coordinate of a box. */
  readonly shape: (width: number, height: number) => readonly [number, number];
  readonly width: (third: number, fourth: number) => number;
  readonly height: (third: number, fourth: number) => number;
}

/**
 * Centre, aspect ratio and height; noise grows with the height, so that it means the same near and far, in small
 * pictures and large.
 *
 * Source: Wojke et al., "Deep SORT" (nwojke/deep_sort, deep_sort/kalman_filter.py), which ByteTrack took over.
 */
export function relativeMotion({
  positionNoise: position = 1 / 20,
  velocityNoise: speed = 1 / 160,
}: Noisy): MotionModel {
  const place = {
    measured: position ** 2,
    value: (2 * position) ** 2,
    speed: (10 * speed) ** 2,
    valuePerFrame: position ** 2,
    speedPerFrame: speed ** 2,
    relative: true,
  };
  const aspect = {
    measured: 1e-2,
    value: 1e-4,
    speed: 1e-10,
    valuePerFrame: 1e-4,
    speedPerFrame: 1e-10,
    relative: false,
  };
  return {
    noise: [place, place, aspect, place],
    sizeAxis: 3,
    shape: (width, height) => [width / height, height],
    width: (ratio, height) => ratio * height,
    height: (_ratio, height) => height,
  };
}

/**
 * Centre, area and aspect ratio, whose speed is nil. It gives way to a new speed at once and changes sizes slowly.
 *
 * Source: Bewley et al., "Simple Online and Realtime Tracking" (abewley/sort, sort.py): the same proportions of the
 * variances, and so the same boxes. A position errs by a twentieth of the height instead of a pixel, so that a distance
 * means the same near and far.
 */
const SORT_MOTION: MotionModel = (() => {
  const unit = (1 / 20) ** 2;
  const place = {
    measured: unit,
    value: 10 * unit,
    speed: 1e4 * unit,
    valuePerFrame: unit,
    speedPerFrame: 1e-2 * unit,
    relative: true,
  };
  const area = { measured: 10, value: 10, speed: 1e4, valuePerFrame: 1, speedPerFrame: 1e-4, relative: false };
  return {
    noise: [place, place, area, { ...area, speed: 0, speedPerFrame: 0 }],
    sizeAxis: 2,
    shape: (width, height) => [width * height, width / height],
    width: (size, ratio) => Math.sqrt(Math.max(1, size) * Math.max(1e-3, ratio)),
    height: (size, ratio) => Math.sqrt(Math.max(1, size) / Math.max(1e-3, ratio)),
  };
})();

/** SORT's filter, unless noise is given. */
export function motionOf({ positionNoise, velocityNoise }: MotionNoise): MotionModel {
  if (positionNoise === undefined && velocityNoise === undefined) return SORT_MOTION;
  return relativeMotion({ positionNoise, velocityNoise });
}

/** Places of the figures of one coordinate. */
const VALUE = 0;
const SPEED = 1;
const VALUE_VAR = 2;
const CROSS = 3;
const SPEED_VAR = 4;
const FIGURES = 5;

/**
 * Constant-velocity Kalman filter of a box. The four coordinates do not mix, so it is four filters of two values each
 * (value and speed). The time step is that of the frames instead of one frame.
 */
export class BoxMotion implements Motion {
  readonly #model: MotionModel;
  /** {@link FIGURES} for each coordinate, in one array: measured with bench P12. */
  readonly #state = new Float64Array(4 * FIGURES);

  constructor(box: Box, model: MotionModel) {
    this.#model = model;
    this.#state[VALUE] = box.left + box.width / 2;
    this.#state[FIGURES + VALUE] = box.top + box.height / 2;
    const [third, fourth] = model.shape(box.width, box.height);
    this.#state[2 * FIGURES + VALUE] = third;
    this.#state[3 * FIGURES + VALUE] = fourth;
    const scale = Math.max(1, box.height) ** 2;
    for (let axis = 0; axis < 4; axis += 1) {
      const noise = model.noise[axis] as Noise;
      this.#state[axis * FIGURES + VALUE_VAR] = noise.value * (noise.relative ? scale : 1);
      this.#state[axis * FIGURES + SPEED_VAR] = noise.speed * (noise.relative ? scale : 1);
    }
  }

  predict(elapsedUs: number): void {
    const state = this.#state;
    const step = elapsedUs / NOMINAL_FRAME_US;
    const scale = this.#scale;
    for (let axis = 0; axis < 4; axis += 1) {
      const at = axis * FIGURES;
      const noise = this.#model.noise[axis] as Noise;
      const own = step * (noise.relative ? scale : 1);
      const cross = state[at + CROSS] as number;
      const speedVar = state[at + SPEED_VAR] as number;
      state[at + VALUE] = (state[at + VALUE] as number) + step * (state[at + SPEED] as number);
      state[at + VALUE_VAR] =
        (state[at + VALUE_VAR] as number) + step * (2 * cross + step * speedVar) + own * noise.valuePerFrame;
      state[at + CROSS] = cross + step * speedVar;
      state[at + SPEED_VAR] = speedVar + own * noise.speedPerFrame;
    }
  }

  correct({ left, top, width, height }: Box): void {
    const scale = this.#scale;
    const [third, fourth] = this.#model.shape(width, height);
    this.#correct(0, left + width / 2, scale);
    this.#correct(1, top + height / 2, scale);
    this.#correct(2, third, scale);
    this.#correct(3, fourth, scale);
  }

  holdSize(): void {
    this.#state[this.#model.sizeAxis * FIGURES + SPEED] = 0;
  }

  get box(): Box {
    return this.boxIn(0);
  }

  boxIn(elapsedUs: number): Box {
    const step = elapsedUs / NOMINAL_FRAME_US;
    const x = this.#value(0, step);
    const y = this.#value(1, step);
    const third = this.#value(2, step);
    const fourth = this.#value(3, step);
    const width = Math.max(1, this.#model.width(third, fourth));
    const height = Math.max(1, this.#model.height(third, fourth));
    return { left: x - width / 2, top: y - height / 2, width, height };
  }

  distance(x: number, y: number): number {
    const state = this.#state;
    const { measured, relative } = this.#model.noise[0];
    const noise = measured * (relative ? this.#scale : 1);
    const dx = x - (state[VALUE] as number);
    const dy = y - (state[FIGURES + VALUE] as number);
    return (
      dx ** 2 / ((state[VALUE_VAR] as number) + noise) + dy ** 2 / ((state[FIGURES + VALUE_VAR] as number) + noise)
    );
  }

  #value(axis: number, step: number): number {
    return (this.#state[axis * FIGURES + VALUE] as number) + step * (this.#state[axis * FIGURES + SPEED] as number);
  }

  #correct(axis: number, measured: number, scale: number): void {
    const state = this.#state;
    const at = axis * FIGURES;
    const noise = this.#model.noise[axis] as Noise;
    const valueVar = state[at + VALUE_VAR] as number;
    const cross = state[at + CROSS] as number;
    const total = valueVar + noise.measured * (noise.relative ? scale : 1);
    const innovation = measured - (state[at + VALUE] as number);
    const gainValue = valueVar / total;
    const gainSpeed = cross / total;
    state[at + VALUE] = (state[at + VALUE] as number) + gainValue * innovation;
    state[at + SPEED] = (state[at + SPEED] as number) + gainSpeed * innovation;
    state[at + SPEED_VAR] = (state[at + SPEED_VAR] as number) - gainSpeed * cross;
    state[at + CROSS] = cross * (1 - gainValue);
    state[at + VALUE_VAR] = valueVar * (1 - gainValue);
  }

  /** The square of the height. */
  get #scale(): number {
    return Math.max(1, this.#model.height(this.#value(2, 0), this.#value(3, 0))) ** 2;
  }
}
