import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiClip } from '../../../src/api.ts';
import { api } from '../api.ts';
import { clipTime, inputTime } from '../core/format.ts';
import { RANGES, type Span } from '../core/timeline.ts';
import { href, route } from '../router.ts';
import { Choice, Empty, Heading, Notice } from '../ui/parts.tsx';
import { useLoaded, useNow } from '../ui/use.ts';
import { ClipList } from './clips/clip-list.tsx';
import { ClipPlayer } from './clips/clip-player.tsx';
import { useClips } from './clips/held-clips.ts';
import { Timeline } from './clips/timeline.tsx';

const NOW_MS = 30_000;
const DAY_MS = 86_400_000;

export function ClipsPage(): JSX.Element {
  const { query } = route.value;
  // A link to another clip begins anew.
  return <Clips key={query['clip'] ?? ''} sensor={query['sensor']} link={query['clip']} />;
}

interface Props {
  readonly sensor: string | undefined;
  /** Name of the clip that a link leads to. */
  readonly link: string | undefined;
}

function Clips({ sensor, link }: Props): JSX.Element {
  const linked = link === undefined ? undefined : clipTime(link);
  const now = useNow(NOW_MS);
  /** Undefined: the last day (or whatever is chosen), as it goes on. */
  const [fixed, setFixed] = useState<Span | undefined>(() => around(linked));
  const [range, setRange] = useState<number>(DAY_MS);
  const [chosen, setChosen] = useState<string | undefined>(link);
  const [camera, setCamera] = useState(sensor);
  if (camera !== sensor) {
    setCamera(sensor);
    setChosen(undefined);
  }
  /** Changes when the list has to show the chosen clip wherever it is. */
  const [shown, setShown] = useState(0);
  const span = fixed ?? { from: now - range, to: now };
  const ask = { sensor, from: iso(span.from), to: fixed ? iso(span.to) : undefined };
  const key = `${sensor ?? ''} ${fixed ? `${fixed.from} ${fixed.to}` : range}`;
  const held = useClips(ask, key);
  const { clips = [], answer } = held;
  const timeline = useLoaded(() => api.timeline({ ...ask, to: iso(span.to) }), [key, now]);

  const choose = (name: string | undefined): void => {
    setChosen(name);
    setShown((old) => old + 1);
  };
  /** The clip nearest to a moment, also one that was not loaded yet. */
  const pick = async (time: number): Promise<void> => {
    const near = nearest(await held.reach(time), time);
    if (near) choose(near.name);
  };
  const show = (next: Span | undefined): void => {
    setFixed(next);
    setChosen(undefined);
  };

  const newest = clips[0]?.name;
  useEffect(() => {
    if (newest === undefined) return;
    // What is played goes on when a newer clip comes on top of the list.
    if (chosen === undefined) setChosen(newest);
    else if (chosen === link && linked !== undefined) void held.reach(linked).then(() => choose(link));
  }, [chosen === undefined, newest === undefined, key]);
  const at = clips.findIndex(({ name }) => name === chosen);
  const clip = clips[at] ?? (chosen === undefined ? clips[0] : undefined);
  // The list is newest first, and time goes on upwards.
  const go = (by: number): void => {
    const next = clips[at - by];
    if (next) setChosen(next.name);
    else if (by < 0) void held.more();
  };
  const sensors = [...new Set([...(answer?.sensors ?? []), ...(sensor === undefined ? [] : [sensor])])];
  const storage = answer?.sources.storage;
  return (
    <>
      <Heading title="Clips">
        <label class="field inline">
          <span>Camera</span>
          <select
            value={sensor ?? ''}
            onChange={(event) => {
              const { value } = event.currentTarget;
              location.hash = href('clips', [], value === '' ? {} : { sensor: value });
            }}
          >
            <option value="">all</option>
            {sensors.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Choice
          label="Span of time"
          options={RANGES.map(({ name, ms }) => ({ name, value: ms }))}
          value={fixed ? undefined : range}
          onChange={(ms) => {
            show(undefined);
            setRange(ms);
          }}
        />
        <label class="field inline">
          <span>until</span>
          <input
            type="datetime-local"
            step={1}
            value={inputTime(span.to)}
            onChange={(event) => {
              const to = Date.parse(event.currentTarget.value);
              if (Number.isFinite(to)) show({ from: to - (span.to - span.from), to });
            }}
          />
        </label>
      </Heading>
      {held.error && <Notice>{held.error}</Notice>}
      {storage?.state === 'unreachable' || storage?.state === 'refused' ? (
        <Notice kind="warn">Storage: {storage.message ?? storage.state}. Clips on the device are shown.</Notice>
      ) : null}
      <Timeline
        span={span}
        buckets={timeline.value?.buckets ?? []}
        bucketMs={(timeline.value?.bucketSeconds ?? 60) * 1000}
        at={clip ? Date.parse(clip.startedAt) : undefined}
        onSpan={show}
        onPick={(time) => void pick(time)}
      />
      {!held.clips && !held.error && <p class="dim">Loading …</p>}
      {held.clips?.length === 0 && (
        <Empty title={sensor === undefined ? 'No clips in this span of time.' : `No clips of ${sensor} in this span.`}>
          <p class="dim">A clip appears when a rule starts a recording, or recording is switched on by hand.</p>
          {range < 7 * DAY_MS && !fixed && (
            <button type="button" onClick={() => setRange(365 * DAY_MS)}>
              Look at the whole year
            </button>
          )}
        </Empty>
      )}
      {clips.length > 0 && (
        <div class="clips">
          {clip ? (
            <ClipPlayer key={clip.name} clip={clip} hasPrevious={at < held.total - 1} hasNext={at > 0} go={go} />
          ) : (
            <div class="stage">
              <Notice kind="warn">The clip {chosen} is not here: it was removed, or belongs to another span.</Notice>
            </div>
          )}
          <ClipList
            clips={clips}
            total={held.total}
            chosen={clip?.name}
            shown={shown}
            onChoose={setChosen}
            onEnd={() => void held.more()}
            onUnread={(names) => void held.fill(names)}
          />
        </div>
      )}
    </>
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The day around a moment that the last day does not hold. */
function around(time: number | undefined): Span | undefined {
  if (time === undefined || time > Date.now() - 0.9 * DAY_MS) return undefined;
  return { from: time - DAY_MS / 2, to: time + DAY_MS / 2 };
}

function nearest(clips: readonly ApiClip[], time: number): ApiClip | undefined {
  const far = ({ startedAt }: ApiClip): number => Math.abs(Date.parse(startedAt) - time);
  return clips.reduce<ApiClip | undefined>((best, clip) => (best && far(best) <= far(clip) ? best : clip), undefined);
}
