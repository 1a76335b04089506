import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiCamera } from '../../../src/api.ts';
import { api, pictureUrl, reasonOf } from '../api.ts';
import { href } from '../router.ts';
import { tileStyle } from '../live/mosaic-picture.tsx';
import { NoCamera, keyOf, walls } from '../ui/camera-choice.tsx';
import { Badge, Heading, kindOf, Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';

const LOOK_MS = 2000;
const PICTURE_MS = 1500;
const MOST_PROBLEMS = 3;

export function CamerasPage(): JSX.Element {
  const { value: cameras, error } = useLoaded(api.cameras, [], LOOK_MS);
  return (
    <>
      <Heading title="Cameras" />
      {error && <Notice>{error}</Notice>}
      {cameras?.length === 0 && <NoCamera />}
      {!cameras && !error && <p class="dim">Loading …</p>}
      <div class="tiles">
        {walls(cameras ?? []).map(([pipeline, own]) => (
          <WallTile key={pipeline} pipeline={pipeline} cameras={own} />
        ))}
        {cameras?.map((camera) => {
          const Tile = camera.state === 'refused' ? RefusedTile : CameraTile;
          return <Tile key={keyOf(camera)} camera={camera} />;
        })}
      </div>
    </>
  );
}

/** The way to all cameras of a pipeline; their picture is made only for who looks at it. */
function WallTile({ pipeline, cameras }: { pipeline: string; cameras: readonly ApiCamera[] }): JSX.Element {
  const running = cameras.filter(({ state }) => state === 'running').length;
  return (
    <article class="tile" aria-label={`All cameras of ${pipeline}`}>
      <a class="tile-picture mosaic" href={href('live', [pipeline])} aria-label={`Watch all of ${pipeline} live`}>
        <ul aria-hidden="true">
          {cameras.map(
            ({ sensor, live }) =>
              live.tile && (
                <li key={sensor} style={tileStyle(live.tile)}>
                  <span class="mosaic-name">{sensor}</span>
                </li>
              ),
          )}
        </ul>
      </a>
      <div class="tile-text">
        <h2>All of {pipeline}</h2>
        <p class="dim">
          {cameras.length} cameras side by side, {running === cameras.length ? 'all running' : `${running} running`}
        </p>
      </div>
    </article>
  );
}

/** One that the configuration keeps out. */
function RefusedTile({ camera: { sensor, state, reason } }: { camera: ApiCamera }): JSX.Element {
  return (
    <article class="tile" aria-label={`Camera ${sensor}`}>
      <div class="tile-text">
        <h2>
          {sensor} <Badge kind={kindOf(state)}>{state}</Badge>
        </h2>
        <Notice kind="warn">{reasonOf(reason)}</Notice>
        <p class="links">
          <a href={href('configuration')}>Correct it in the configuration</a>
        </p>
      </div>
    </article>
  );
}

function CameraTile({ camera }: { camera: ApiCamera }): JSX.Element {
  const { pipeline, sensor, state, reason, fps, objects, provider, resolution, recording, problems, regions } = camera;
  const names = [pipeline, sensor];
  const view = typeof camera.health?.['state'] === 'string' ? camera.health['state'] : undefined;
  return (
    <article class="tile" aria-label={`Camera ${sensor}`}>
      <a
        class="tile-picture"
        href={href('live', names)}
        aria-label={`Watch ${sensor} live${recording ? ', recording' : ''}`}
      >
        <SmallPicture camera={camera} />
        {recording && <span class="recording">● REC</span>}
      </a>
      <div class="tile-text">
        <h2>
          {sensor} <Badge kind={kindOf(state)}>{state}</Badge>
          {view !== undefined && view !== 'ok' && <Badge kind="warn">{view}</Badge>}
        </h2>
        <p class="dim">{pipeline === '' ? 'used by no pipeline' : pipeline}</p>
        <dl class="figures">
          <Figure name="frames/s" value={fps?.toFixed(1)} />
          <Figure name="objects" value={objects?.toFixed(1)} />
          <Figure name="picture" value={resolution ? `${resolution.width}×${resolution.height}` : undefined} />
          <Figure name="runs on" value={provider ?? undefined} />
        </dl>
        {reason !== '' && <p class="dim">{reason}</p>}
        {problems.slice(0, MOST_PROBLEMS).map((problem) => (
          <Notice key={problem.message} kind="warn">
            {problem.message}
          </Notice>
        ))}
        {problems.length > MOST_PROBLEMS && (
          <p>
            <a href={href('health')}>{problems.length - MOST_PROBLEMS} more problems</a>
          </p>
        )}
        <p class="links">
          <a href={href('live', names)}>Live</a>
          <a href={href('clips', [], { sensor })}>Clips</a>
          <a href={href('regions', names)}>
            Regions <span class="count">{regions.length}</span>
          </a>
        </p>
      </div>
    </article>
  );
}

function Figure({ name, value }: { name: string; value: string | undefined }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? '–'}</dd>
    </div>
  );
}

/** A picture every now and then: a wall of cameras must not cost a stream each. */
function SmallPicture({ camera }: { camera: ApiCamera }): JSX.Element {
  const [shown, setShown] = useState<string>();
  const has = camera.live.mjpeg || camera.live.mse;
  useEffect(() => {
    if (!has) return;
    const over = new AbortController();
    let timer: number | undefined;
    let last: string | undefined;
    let failures = 0;
    const next = async (): Promise<void> => {
      let wait = PICTURE_MS;
      try {
        if (!document.hidden) {
          const response = await fetch(pictureUrl(camera, 'jpg'), { signal: over.signal, cache: 'no-store' });
          if (!response.ok) throw new Error(`the server answered ${response.status}`);
          const url = URL.createObjectURL(await response.blob());
          if (last) URL.revokeObjectURL(last);
          last = url;
          failures = 0;
          if (!over.signal.aborted) setShown(url);
        }
      } catch {
        // The tile says how the camera is; a picture comes when there is one again.
        wait = 2 * PICTURE_MS;
        failures += 1;
        // A picture of a while ago would pass for one of now.
        if (failures > 1 && !over.signal.aborted) setShown(undefined);
      }
      if (!over.signal.aborted) timer = window.setTimeout(() => void next(), wait);
    };
    void next();
    return () => {
      over.abort();
      window.clearTimeout(timer);
      if (last) URL.revokeObjectURL(last);
    };
  }, [has, camera.pipeline, camera.sensor]);
  if (shown === undefined) return <span class="no-picture">{has ? 'waiting for a picture' : 'no picture'}</span>;
  return <img src={shown} alt={`What ${camera.sensor} sees`} />;
}
