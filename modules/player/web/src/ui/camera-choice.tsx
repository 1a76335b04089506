import type { JSX } from 'preact';
import type { ApiCamera } from '../../../src/api.ts';

/** `pipeline/sensor` names a camera: a sensor may be looked at by several pipelines. */
export function keyOf({ pipeline, sensor }: { pipeline: string; sensor: string }): string {
  return `${pipeline}/${sensor}`;
}

interface Props {
  readonly cameras: readonly ApiCamera[];
  readonly chosen: ApiCamera | undefined;
  readonly onChoose: (camera: ApiCamera) => void;
}

export function CameraChoice({ cameras, chosen, onChoose }: Props): JSX.Element {
  const alone = new Set(cameras.map(({ sensor }) => sensor)).size === cameras.length;
  return (
    <label class="field inline">
      <span>Camera</span>
      <select
        value={chosen ? keyOf(chosen) : ''}
        onChange={(event) => {
          const camera = cameras.find((one) => keyOf(one) === event.currentTarget.value);
          if (camera) onChoose(camera);
        }}
      >
        {cameras.map((camera) => (
          <option key={keyOf(camera)} value={keyOf(camera)}>
            {alone ? camera.sensor : `${camera.sensor} · ${camera.pipeline || 'unused'}`}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The camera that the address names, else the first that runs. */
export function cameraOf(cameras: readonly ApiCamera[], names: readonly string[]): ApiCamera | undefined {
  const [pipeline, sensor] = names;
  const named = cameras.find((camera) => camera.pipeline === pipeline && camera.sensor === sensor);
  return named ?? cameras.find(({ pipeline: used }) => used !== '') ?? cameras[0];
}
