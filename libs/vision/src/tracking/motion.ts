import type { Box } from '../detection.ts';

/** Frames of this length are what the noise figures of SORT and ByteTrack were tuned on. */
const NOMINAL_FRAME_US = 1_000_000 / 30;
const POSITION_NOISE = 1 / 20;
const VELOCITY_NOISE = 1 / 160;

/** One coordinate: value and speed, with the covariance of the two. */
interface Axis {
  value: number;
  speed: number;
  valueVar: number;
  cross: number;
  speedVar: number;
}

/**
 * Constant-velocity Kalman filter of a box: centre x, centre y, aspect ratio, height. Motion and noise do not mix the
 * four, so it is four filters of two values each; noise grows with the height of the box and with time.
 *
 * Source: ByteTrack (ifzhang/ByteTrack, yolox/tracker/kalman_filter.py), which has it from Deep SORT; the time step is
 * that of the frames instead of one frame.
 */
export class BoxMotion {
  readonly #axes: readonly [x: Axis, y: Axis, aspect: Axis, height: Axis];

  constructor(box: Box) {
    const { x, y, aspect, height } = measure(box);
    const axis = (value: number, position: number, velocity: number): Axis => ({
      value,
      speed: 0,
      valueVar: position ** 2,
      cross: 0,
      speedVar: velocity ** 2,
    });
    const position = 2 * POSITION_NOISE * height;
    const velocity = 10 * VELOCITY_NOISE * height;
    this.#axes = [
      axis(x, position, velocity),
      axis(y, position, velocity),
      axis(aspect, 1e-2, 1e-5),
      axis(height, position, velocity),
    ];
  }

  /** Moves the box on by `elapsedUs` of frame time. */
  predict(elapsedUs: number): void {
    const step = Math.max(0, elapsedUs) / NOMINAL_FRAME_US;
    const height = Math.max(1, this.#axes[3].value);
    this.#axes.forEach((axis, index) => {
      const position = index === 2 ? 1e-2 : POSITION_NOISE * height;
      const velocity = index === 2 ? 1e-5 : VELOCITY_NOISE * height;
      axis.value += step * axis.speed;
      axis.valueVar += step * (2 * axis.cross + step * axis.speedVar) + step * position ** 2;
      axis.cross += step * axis.speedVar;
      axis.speedVar += step * velocity ** 2;
    });
  }

  /** Corrects the filter with a detection. */
  correct(box: Box): void {
    const seen = measure(box);
    const height = Math.max(1, this.#axes[3].value);
    const values = [seen.x, seen.y, seen.aspect, seen.height];
    this.#axes.forEach((axis, index) => {
      const noise = index === 2 ? 1e-1 : POSITION_NOISE * height;
      const innovation = (values[index] ?? axis.value) - axis.value;
      const total = axis.valueVar + noise ** 2;
      const gainValue = axis.valueVar / total;
      const gainSpeed = axis.cross / total;
      axis.value += gainValue * innovation;
      axis.speed += gainSpeed * innovation;
      axis.speedVar -= gainSpeed * axis.cross;
      axis.cross *= 1 - gainValue;
      axis.valueVar *= 1 - gainValue;
    });
  }

  /** The height keeps still while the object is out of sight: a shrinking box would never be found again. */
  holdSize(): void {
    this.#axes[3].speed = 0;
  }

  get box(): Box {
    const [x, y, aspect, heightAxis] = this.#axes;
    const height = Math.max(1, heightAxis.value);
    const width = Math.max(1, aspect.value * height);
    return { left: x.value - width / 2, top: y.value - height / 2, width, height };
  }
}

function measure({ left, top, width, height }: Box): { x: number; y: number; aspect: number; height: number } {
  return { x: left + width / 2, y: top + height / 2, aspect: width / Math.max(height, 1e-6), height };
}
