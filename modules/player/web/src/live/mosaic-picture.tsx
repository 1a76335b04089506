import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiCamera } from '../../../src/api.ts';
import { mosaicUrl } from '../api.ts';
import { href } from '../router.ts';
import { Badge, kindOf } from '../ui/parts.tsx';
import { JpegStream, type JpegState } from './jpeg-stream.ts';

interface Props {
  readonly pipeline: string;
  readonly cameras: readonly ApiCamera[];
  readonly paused: boolean;
  readonly onShown: (shown: boolean) => void;
}

const WORDS: Readonly<Record<JpegState, string>> = {
  connecting: 'Connecting …',
  picture: '',
  silent: 'Waiting for a picture …',
  lost: 'The picture is lost; trying again …',
};

/** All cameras of a pipeline as they are now; each leads to its own picture. */
export function MosaicPicture({ pipeline, cameras, paused, onShown }: Props): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [state, setState] = useState<JpegState>('connecting');

  useEffect(() => {
    if (paused) return;
    const stream = new JpegStream(mosaicUrl(pipeline), {
      state: (next) => {
        setState(next);
        onShown(next === 'picture');
      },
      picture: (picture) => {
        if (!canvas.current) return;
        if (canvas.current.width !== picture.width) canvas.current.width = picture.width;
        if (canvas.current.height !== picture.height) canvas.current.height = picture.height;
        canvas.current.getContext('2d')?.drawImage(picture, 0, 0);
      },
    });
    // It is made for those who look: a decoder for each camera.
    const look = (): void => (document.hidden ? stream.stop() : stream.start());
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      stream.stop();
    };
  }, [pipeline, paused]);

  return (
    <div class="picture mosaic" style={{ aspectRatio: '16 / 9', '--shape': `${16 / 9}` }}>
      <canvas ref={canvas} width={1280} height={720} role="img" aria-label={`Live pictures of ${pipeline}`} />
      <ul aria-label={`Cameras of ${pipeline}`}>
        {cameras.map((camera) => (
          <Tile key={camera.sensor} camera={camera} />
        ))}
      </ul>
      {WORDS[state] !== '' && !paused && (
        <p class="picture-word" role="status">
          {WORDS[state]}
        </p>
      )}
    </div>
  );
}

function Tile({ camera }: { camera: ApiCamera }): JSX.Element | null {
  const { pipeline, sensor, state, live } = camera;
  if (!live.tile) return null;
  return (
    <li style={tileStyle(live.tile)}>
      <a href={href('live', [pipeline, sensor])} title={sensor}>
        <span class="mosaic-name">{sensor}</span>
        {state !== 'running' && <Badge kind={kindOf(state)}>{state}</Badge>}
      </a>
    </li>
  );
}

/** Where a tile stands in a picture of all cameras. */
export function tileStyle([left, top, width, height]: NonNullable<ApiCamera['live']['tile']>): Record<string, string> {
  return { left: percent(left), top: percent(top), width: percent(width), height: percent(height) };
}

function percent(part: number): string {
  return `${100 * part}%`;
}
