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
import { CameraChoice, NoCamera, cameraOf, keyOf, walls, type Chosen } from '../ui/camera-choice.tsx';
import { Icon } from '../ui/icons.tsx';
import { Badge, Heading, kindOf, Notice, Toggle } from '../ui/parts.tsx';
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
  const all = walls(cameras ?? []);
  const [name, sensor] = route.value.names;
  const wall = sensor === undefined ? all.find(([pipeline]) => pipeline === name) : undefined;
  const camera = wall ? undefined : cameraOf(cameras ?? [], route.value.names);
  return (
    <>
      <Heading title="Live">
        {cameras && cameras.length > 0 && (
          <CameraChoice
            cameras={cameras}
            together={all.map(([pipeline]) => pipeline)}
            chosen={wall ? { pipeline: wall[0], sensor: '' } : camera}
            onChoose={(one) => (location.hash = hrefOf(one))}
          />
        )}
      </Heading>
      {error && <Notice>{error}</Notice>}
      {cameras?.length === 0 && <NoCamera />}
      {wall && <WatchAll key={wall[0]} pipeline={wall[0]} cameras={wall[1]} />}
      {camera && <Watch key={keyOf(camera)} camera={camera} />}
    </>
  );
}

function hrefOf({ pipeline, sensor }: Chosen): string {
  return href('live', sensor === '' ? [pipeline] : [pipeline, sensor]);
}

function WatchAll({ pipeline, cameras }: { pipeline: string; cameras: readonly ApiCamera[] }): JSX.Element {
  const [paused, setPaused] = useState(false);
  const [shown, setShown] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  return (
    <div class="watch">
      <div ref={box} class="stage">
        <MosaicPicture pipeline={pipeline} cameras={cameras} paused={paused} onShown={setShown} />
        <div class="controls">
          <PauseButton paused={paused} shown={shown} onChange={setPaused} />
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

interface PauseProps {
  readonly paused: boolean;
  /** There is a picture of now. */
  readonly shown: boolean;
  readonly onChange: (paused: boolean) => void;
}

function PauseButton({ paused, shown, onChange }: PauseProps): JSX.Element {
  const isLive = shown && !paused;
  return (
    <>
      <button type="button" class="icon-button" onClick={() => onChange(!paused)}>
        <Icon name={paused ? 'play' : 'pause'} />
        <span class="hidden-text">{paused ? 'Go on live' : 'Pause'}</span>
      </button>
      <span class={isLive ? 'live-mark' : 'live-mark off'}>{paused ? 'paused' : isLive ? 'live' : 'not live'}</span>
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
  const [shown, setShown] = useState(false);
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
        <LivePicture
          camera={camera}
          paused={paused}
          options={options}
          onInsights={look}
          onBehind={setBehind}
          onShown={setShown}
        />
        <div class="controls">
          {camera.pipeline !== '' && <PauseButton paused={paused} shown={shown} onChange={setPaused} />}
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
          <p class="big">{shown ? counts(seen) : '–'}</p>
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
