import type { JSX } from 'preact';
import type { ApiCamera } from '../../../src/api.ts';
import { href } from '../router.ts';
import { Empty } from './parts.tsx';

/** A camera in a pipeline; without a sensor all of that pipeline. */
export interface Chosen {
  readonly pipeline: string;
  readonly sensor: string;
}

/** `pipeline/sensor` names a camera: a sensor may be looked at by several pipelines. */
export function keyOf({ pipeline, sensor }: Chosen): string {
  return `${pipeline}/${sensor}`;
}

interface Props {
  readonly cameras: readonly ApiCamera[];
  readonly chosen: Chosen | undefined;
  readonly onChoose: (camera: Chosen) => void;
  /** Pipelines whose cameras can be looked at together. */
  readonly together?: readonly string[];
}

export function CameraChoice({ cameras, chosen, onChoose, together = [] }: Props): JSX.Element {
  const alone = new Set(cameras.map(({ sensor }) => sensor)).size === cameras.length;
  const all = together.map((pipeline): Chosen => ({ pipeline, sensor: '' }));
  return (
    <label class="field inline">
      <span>Camera</span>
      <select
        value={chosen ? keyOf(chosen) : ''}
        onChange={(event) => {
          const camera = [...all, ...cameras].find((one) => keyOf(one) === event.currentTarget.value);
          if (camera) onChoose(camera);
        }}
      >
        {all.map((one) => (
          <option key={keyOf(one)} value={keyOf(one)}>
            All of {one.pipeline}
          </option>
        ))}
        {cameras.map((camera) => (
          <option key={keyOf(camera)} value={keyOf(camera)}>
            {alone ? camera.sensor : `${camera.sensor} · ${camera.pipeline || 'unused'}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What pages about a camera show where there is none. */
export function NoCamera(): JSX.Element {
  return (
    <Empty title="No camera is configured.">
      <a class="button" href={href('configuration')}>
        Add one in the configuration
      </a>
    </Empty>
  );
}

/** The camera that the address names, in any case, else the first of its pipeline, else the first that runs. */
export function cameraOf(cameras: readonly ApiCamera[], names: readonly string[]): ApiCamera | undefined {
  const [pipeline, sensor] = names.map((name) => name.toLowerCase());
  const own = cameras.filter((camera) => camera.pipeline.toLowerCase() === pipeline);
  const named = own.find((camera) => camera.sensor.toLowerCase() === sensor) ?? own[0];
  return named ?? cameras.find(({ pipeline: used }) => used !== '') ?? cameras[0];
}

/** Pipelines of several cameras, with them. */
export function walls(cameras: readonly ApiCamera[]): [pipeline: string, cameras: readonly ApiCamera[]][] {
  const used = cameras.filter(({ pipeline }) => pipeline !== '');
  return [...Map.groupBy(used, ({ pipeline }) => pipeline)].filter(([, own]) => own.length > 1);
}
