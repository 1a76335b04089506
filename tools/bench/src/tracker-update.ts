import { createTracker, type Detection } from '@vantage/vision';
import { median, type Bench } from './bench.ts';

const OBJECTS = 200;
const FRAMES = 400;
/** Not counted: the machine code is not there yet. */
const WARM_UP = 100;
const ROUNDS = 5;
const ALLOWED_MS = 1;

/** P12: an update of ByteTrack with 200 objects, against the millisecond that it may take. */
export const trackerUpdate: Bench = {
  id: 'P12',
  title: `an update of ByteTrack with ${OBJECTS} objects, against the ${ALLOWED_MS} ms it may take`,
  unit: 'ms',
  goal: 1,
  better: 'lower',
  run: (note) => {
    const frames = scene();
    const rounds = Array.from({ length: ROUNDS }, (_, round) => {
      const tracker = createTracker('bytetrack');
      const times = frames.map((detections, frame) => {
        const started = performance.now();
        tracker.update(detections, frame * 40_000);
        return performance.now() - started;
      });
      const counted = times.slice(WARM_UP).sort((a, b) => a - b);
      const figures = { p50: median(counted), p95: counted[Math.floor(counted.length * 0.95)] ?? Number.NaN };
      note(
        `round ${round + 1}: median ${figures.p50.toFixed(3)}, p95 ${figures.p95.toFixed(3)} ms, ${tracker.trackCount} tracks`,
      );
      return figures;
    });
    return Promise.resolve({
      ours: median(rounds.map(({ p50 }) => p50)),
      reference: ALLOWED_MS,
      extra: { p95Ms: Math.round(median(rounds.map(({ p95 }) => p95)) * 1000) / 1000 },
    });
  },
};

/** People in a square: they walk, the detector is unsure of each place, and one in twenty is missed or half seen. */
function scene(): Detection[][] {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const people = Array.from({ length: OBJECTS }, () => ({
    left: random() * 1880,
    top: random() * 980,
    width: 30 + random() * 30,
    height: 70 + random() * 60,
    stepX: (random() - 0.5) * 3,
    stepY: random() - 0.5,
  }));
  return Array.from({ length: FRAMES }, (_, frame) =>
    people
      .filter(() => random() > 0.05)
      .map(({ left, top, width, height, stepX, stepY }) => ({
        classId: 0,
        label: 'person',
        confidence: random() > 0.05 ? 0.7 + random() * 0.3 : 0.2 + random() * 0.3,
        box: { left: left + stepX * frame + random() * 2, top: top + stepY * frame + random() * 2, width, height },
        trackingId: -1,
        componentId: 1,
        attributes: [],
      })),
  );
}
