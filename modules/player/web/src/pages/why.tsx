import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiCamera } from '../../../src/api.ts';
import { api, reasonOf, type WhyAnswer, type WhyFrame } from '../api.ts';
import { inputTime } from '../core/format.ts';
import { isRecord } from '../core/locate.ts';
import { href, route } from '../router.ts';
import { CameraChoice, NoCamera, cameraOf, keyOf } from '../ui/camera-choice.tsx';
import { Badge, Heading, Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';

const SPANS = [1, 2, 5, 10, 30] as const;

export function WhyPage(): JSX.Element {
  const { value: cameras, error } = useLoaded(api.cameras, []);
  const camera = cameraOf(cameras ?? [], route.value.names);
  return (
    <>
      <Heading title="Why was there no alert?">
        {cameras && cameras.length > 0 && (
          <CameraChoice
            cameras={cameras}
            chosen={camera}
            onChoose={({ pipeline, sensor }) => (location.hash = href('why', [pipeline, sensor]))}
          />
        )}
      </Heading>
      {error && <Notice>{error}</Notice>}
      {cameras && !camera && <NoCamera />}
      {camera && <Ask key={keyOf(camera)} camera={camera} />}
    </>
  );
}

function Ask({ camera }: { camera: ApiCamera }): JSX.Element {
  const given = Date.parse(route.value.query['at'] ?? '');
  const [at, setAt] = useState(Number.isFinite(given) ? given : Date.now() - 2000);
  const [seconds, setSeconds] = useState<number>(2);
  const [answer, setAnswer] = useState<WhyAnswer>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  // Who comes from a moment of a clip has asked already.
  useEffect(() => void (Number.isFinite(given) && ask(given)), []);
  const ask = async (moment: number): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setAnswer(await api.why(camera.pipeline, camera.sensor, moment, seconds));
    } catch (fault) {
      setAnswer(undefined);
      setError(reasonOf(fault));
    }
    setBusy(false);
  };
  return (
    <>
      <form
        class="card row"
        onSubmit={(event) => {
          event.preventDefault();
          void ask(at);
        }}
      >
        <label class="field inline">
          <span>At</span>
          <input
            type="datetime-local"
            step={1}
            value={inputTime(at)}
            onChange={(event) => {
              const moment = Date.parse(event.currentTarget.value);
              if (Number.isFinite(moment)) setAt(moment);
            }}
            required
          />
        </label>
        <label class="field inline">
          <span>and around it</span>
          <select value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
            {SPANS.map((span) => (
              <option key={span} value={span}>
                {span} s
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Asking …' : 'Explain'}
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => {
            const moment = Date.now() - 1000 * seconds;
            setAt(moment);
            void ask(moment);
          }}
        >
          Just now
        </button>
      </form>
      {error && <Notice>{error}</Notice>}
      <div aria-live="polite">
        {answer && <Answer answer={answer} />}
        {!answer && !error && (
          <p class="dim">
            The device remembers, for each of the last frames, what was seen and what became of it: from the picture to
            the alert and the upload.
          </p>
        )}
      </div>
    </>
  );
}

function Answer({ answer }: { answer: WhyAnswer }): JSX.Element {
  const { frames = [], notes = [], summary = [], uploaded = {} } = answer;
  const clips = Object.entries(uploaded);
  return (
    <div class="answer">
      <section class="card">
        <h2>In short</h2>
        <ol class="sentences">
          {summary.map((sentence, index) => (
            <li key={index}>{sentence}</li>
          ))}
        </ol>
        {clips.map(([name, { state = 'unknown', blob }]) => (
          <p key={name}>
            <Badge kind={state === 'stored' ? 'good' : 'warn'}>{state === 'stored' ? 'uploaded' : state}</Badge>{' '}
            <a href={href('clips', [], { clip: name.replace(/\.mp4$/, '') })}>{name}</a>
            {blob !== undefined && <small class="dim path"> {blob}</small>}
          </p>
        ))}
      </section>
      {frames.length > 0 && (
        <section class="card scroll">
          <h2>Step by step</h2>
          <table class="chain">
            <thead>
              <tr>
                {COLUMNS.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {frames.slice(0, 300).map((frame) => (
                <FrameRow key={frame.timeMs} frame={frame} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {notes.length > 0 && (
        <section class="card">
          <h2>What happened around it</h2>
          <ul class="events">
            {notes.slice(-40).map(({ timeMs, text }) => (
              <li key={`${timeMs} ${text}`}>
                <time>{new Date(timeMs).toLocaleTimeString()}</time> {text}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

const COLUMNS = [
  'time',
  'pictures',
  'best scores',
  'kept',
  'tracks',
  'regions',
  'rules',
  'events',
  'recorded',
] as const;

function FrameRow({ frame }: { frame: WhyFrame }): JSX.Element {
  const { timeMs, decoded = 0, sampled = 0, dropped = {}, best = [], kept, tracks, regions = [] } = frame;
  const { rules = [], events = [], recording, clip } = frame;
  const left = Object.entries(dropped).filter(([, count]) => count > 0);
  return (
    <tr class={events.length > 0 ? 'alerted' : ''}>
      <th scope="row">{new Date(timeMs).toLocaleTimeString()}</th>
      <td>
        {sampled} of {decoded}
        {left.map(([reason, count]) => (
          <small key={reason} class="dim">
            {' '}
            {count} {reason}
          </small>
        ))}
      </td>
      <td>
        {best.slice(0, 4).map(({ label, score, threshold }, index) => (
          <span key={index} class={typeof threshold === 'number' && score < threshold ? 'score low' : 'score'}>
            {label} {Math.round(score * 100)}%
            {typeof threshold === 'number' && <small> of {Math.round(threshold * 100)}%</small>}
          </span>
        ))}
      </td>
      <td>{words(kept)}</td>
      <td title={words(tracks)}>{Array.isArray(tracks) ? tracks.length : words(tracks)}</td>
      <td>
        {regions.map(({ label, inside }) => {
          const count = Array.isArray(inside) ? inside.length : Number(inside);
          return (
            <span key={label} class={count > 0 ? 'score' : 'score low'}>
              {label} {count}
            </span>
          );
        })}
      </td>
      <td>{rules.map(words).join('; ')}</td>
      <td>{events.map(words).join('; ')}</td>
      <td>{clip === undefined ? words(recording ?? false) : 'in a clip'}</td>
    </tr>
  );
}

/** A value of the chain as words: what it holds, not how it is written. */
function words(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(words).join(', ');
  if (isRecord(value)) {
    const { type, label, name, id, state } = value;
    const first = [type, label, name, id].find((one) => typeof one === 'string' || typeof one === 'number');
    if (first !== undefined) return state === undefined ? String(first) : `${String(first)}: ${words(state)}`;
    return Object.entries(value)
      .map(([key, one]) => `${key} ${words(one)}`)
      .join(', ');
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
