import path from 'node:path';

export { scoreFrame, type ClassScore, type ScoredDetection } from './score.ts';

const here = path.resolve(import.meta.dirname, '..');

/** The demo camera and the demo model: files of this package, made by `training/`. All paths are absolute. */
export const demo = {
  /** The camera's name in the default twin. */
  sensorName: 'street-01',
  /** H.264, 960 x 540, 25 frames a second, 24 s, a key frame each second, no B-frames; its end meets its beginning. */
  video: path.join(here, 'media', 'street.mp4'),
  /** A still of the video. */
  poster: path.join(here, 'media', 'poster.jpg'),
  /** What is really in each frame of the video: see {@link DemoTruth}. */
  truth: path.join(here, 'media', 'street.truth.json'),
  /** A model package as a folder, as a twin may name it. */
  modelFolder: path.join(here, 'models', 'demo'),
  /** Its nvinfer configuration. */
  modelConfig: path.join(here, 'models', 'demo', 'config_infer.txt'),
  /** The classes of the model, in order. */
  labels: ['person', 'bicycle', 'car'],
  /**
   * The pedestrian crossing as the centres of people's boxes pass it, normalised x and y. Somebody is in it at about
   * 1.6 to 6.0, 9.8 to 14.3 and 17.6 to 20.4 s of each round; in between it is empty.
   */
  region: {
    label: 'crossing',
    color: '#ffb000',
    coordinates: [
      [0.475, 0.5],
      [0.642, 0.5],
      [0.71, 0.65],
      [0.464, 0.65],
    ],
  },
} as const;

/** `[class, object, left, top, right, bottom, visiblePercent]`; `class` indexes {@link DemoTruth.classes}, the box is in pixels. */
export type DemoTruthRow = readonly [number, number, number, number, number, number, number];

/** The exact boxes of the film, drawn from the same models as the picture. Hidden parts of an object are in its box. */
export interface DemoTruth {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly classes: readonly string[];
  readonly region: readonly (readonly [number, number])[];
  /** Names of the values of a row. */
  readonly row: readonly string[];
  /** One list of rows for each frame, in order. */
  readonly frames: readonly (readonly DemoTruthRow[])[];
}
