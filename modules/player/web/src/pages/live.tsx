import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ApiCamera } from '../../../src/api.ts';
import { api } from '../api.ts';
import { counts } from '../core/format.ts';
import type { FrameInsights } from '../core/overlay.ts';
import { ALL_OVERLAYS, type OverlayOptions } from '../live/draw.ts';
import { LivePicture } from '../live/live-picture.tsx';
import { MosaicPicture } from '../live/mosaic-picture.tsx';
import { href, route } from '../router.ts';
import { CameraChoice, cameraOf, keyOf, tiledPipelines, type Chosen } from '../ui/camera-choice.tsx';
import { Icon } from '../ui/icons.tsx';
import { Badge, Empty, Heading, kindOf, Notice, Toggle } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';

const LOOK_MS = 2000;
/** Counts are for reading: twice a second, not with every frame. */
const COUNT_MS = 500;
const MOST_EVENTS = 12;

export const SWITCHES: readonly { readonly key: keyof OverlayOptions; readonly name: string }[] = [
  { key: 'boxes', name: 'Boxes' },
  { key: 'labels', name: 'Labels' },
  { key: 'tracks', name: 'Tracks' },
  { key: 'regions', name: 'Regions' },
];

interface SeenEvent {
  readonly id: string;
  readonly type: string;
  readonly zone: string | undefined;
  readonly timeMs: number;
}

export function LivePage(): JSX.Element {
  const { value: cameras, error } = useLoaded(api.cameras, [], LOOK_MS);
  const [whole, sensor] = route.value.names;
  const all = (cameras ?? []).filter(({ pipeline }) => pipeline === whole);
  const isWhole = whole !== undefined && sensor === undefined && all.length > 0;
  const camera = isWhole ? undefined : cameraOf(cameras ?? [], route.value.names);
  return (
    <>
      <Heading title="Live">
        {cameras && cameras.length > 0 && (
          <CameraChoice
            cameras={cameras}
            together={tiledPipelines(cameras)}
            chosen={isWhole ? { pipeline: whole, sensor: '' } : camera}
            onChoose={(one) => (location.hash = hrefOf(one))}
          />
        )}
      </Heading>
      {error && <Notice>{error}</Notice>}
      {cameras?.length === 0 && <Empty title="No camera is configured." />}
      {isWhole && <WatchAll key={whole} pipeline={whole} cameras={all} />}
      {camera && <Watch key={keyOf(camera)} camera={camera} />}
    </>
  );
}

function hrefOf({ pipeline, sensor }: Chosen): string {
  return href('live', sensor === '' ? [pipeline] : [pipeline, sensor]);
}

function WatchAll({ pipeline, cameras }: { pipeline: string; cameras: readonly ApiCamera[] }): JSX.Element {
  const [paused, setPaused] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  return (
    <div class="watch">
      <div ref={box} class="stage">
        <MosaicPicture pipeline={pipeline} cameras={cameras} paused={paused} />
        <div class="controls">
          <PauseButton paused={paused} onChange={setPaused} />
          <span class="hint">Choose a picture to see its camera alone, with what is seen in it.</span>
          <FullScreenButton of={box} />
        </div>
      </div>
      <aside class="side">
        <section class="card">
          <h2>{pipeline}</h2>
          <table class="wall">
            <thead>
              <tr>
                <th scope="col">camera</th>
                <th scope="col">state</th>
                <th scope="col">frames/s</th>
              </tr>
            </thead>
            <tbody>
              {cameras.map(({ sensor, state, fps }) => (
                <tr key={sensor}>
                  <th scope="row">{sensor}</th>
                  <td>
                    <Badge kind={kindOf(state)}>{state}</Badge>
                  </td>
                  <td>{fps?.toFixed(1) ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </aside>
    </div>
  );
}

function PauseButton({ paused, onChange }: { paused: boolean; onChange: (paused: boolean) => void }): JSX.Element {
  return (
    <>
      <button type="button" class="icon-button" onClick={() => onChange(!paused)}>
        <Icon name={paused ? 'play' : 'pause'} />
        <span class="hidden-text">{paused ? 'Go on live' : 'Pause'}</span>
      </button>
      <span class={paused ? 'live-mark off' : 'live-mark'}>{paused ? 'paused' : 'live'}</span>
    </>
  );
}

function FullScreenButton({ of }: { of: { readonly current: HTMLElement | null } }): JSX.Element | null {
  if (!document.fullscreenEnabled) return null;
  return (
    <button type="button" class="icon-button last" onClick={() => void of.current?.requestFullscreen()}>
      <Icon name="full" />
      <span class="hidden-text">Full screen</span>
    </button>
  );
}

function Watch({ camera }: { camera: ApiCamera }): JSX.Element {
  const [options, setOptions] = useState(ALL_OVERLAYS);
  const [paused, setPaused] = useState(false);
  const [seen, setSeen] = useState<Readonly<Record<string, number>>>({});
  const [events, setEvents] = useState<readonly SeenEvent[]>([]);
  const [behind, setBehind] = useState<number>();
  const counted = useRef(0);
  const box = useRef<HTMLDivElement>(null);

  const look = (frame: FrameInsights): void => {
    if (frame.events.length > 0) {
      const news = frame.events.map(({ id, type, zone }): SeenEvent => ({ id, type, zone, timeMs: frame.timeMs }));
      setEvents((old) => [...news, ...old].slice(0, MOST_EVENTS));
    }
    if (performance.now() - counted.current < COUNT_MS) return;
    counted.current = performance.now();
    const labels: Record<string, number> = {};
    for (const { label } of frame.detections) labels[label] = (labels[label] ?? 0) + 1;
    setSeen(labels);
  };

  return (
    <div class="watch">
      <div ref={box} class="stage">
        <LivePicture camera={camera} paused={paused} options={options} onInsights={look} onBehind={setBehind} />
        <div class="controls">
          {camera.pipeline !== '' && <PauseButton paused={paused} onChange={setPaused} />}
          {SWITCHES.map(({ key, name }) => (
            <Toggle key={key} label={name} on={options[key]} onChange={(on) => setOptions({ ...options, [key]: on })} />
          ))}
          <FullScreenButton of={box} />
        </div>
      </div>
      <aside class="side">
        <section class="card">
          <h2>
            {camera.sensor} <Badge kind={kindOf(camera.state)}>{camera.state}</Badge>
          </h2>
          <p class="dim">{camera.pipeline}</p>
          <p class="big">{counts(seen)}</p>
          <dl class="figures">
            <div>
              <dt>frames/s</dt>
              <dd>{camera.fps?.toFixed(1) ?? '–'}</dd>
            </div>
            <div>
              <dt>behind</dt>
              <dd>{behind === undefined || paused ? '–' : `${Math.max(0, behind).toFixed(2)} s`}</dd>
            </div>
            <div>
              <dt>recording</dt>
              <dd>{camera.recording ? 'yes' : 'no'}</dd>
            </div>
          </dl>
          <p class="links">
            <a href={href('regions', [camera.pipeline, camera.sensor])}>Draw regions</a>
            <a href={href('clips', [], { sensor: camera.sensor })}>Clips</a>
            <a href={href('why', [camera.pipeline, camera.sensor])}>Why no alert?</a>
          </p>
        </section>
        <section class="card">
          <h2>Events</h2>
          {events.length === 0 ? (
            <p class="dim">None since this page was opened.</p>
          ) : (
            <ol class="events" aria-live="polite">
              {events.map((event) => (
                <li key={`${event.id} ${event.timeMs}`}>
                  <time>{new Date(event.timeMs).toLocaleTimeString()}</time> {event.type}
                  {event.zone && <span class="dim"> {event.zone}</span>}
                </li>
              ))}
            </ol>
          )}
        </section>
      </aside>
    </div>
  );
}
