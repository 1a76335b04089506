import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClip, ApiClips } from '../../../src/api.ts';
import { api, reasonOf } from '../api.ts';
import { inputTime } from '../core/format.ts';
import { RANGES, type Span } from '../core/timeline.ts';
import { href, route } from '../router.ts';
import { Empty, Heading, Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';
import { ClipList } from './clips/clip-list.tsx';
import { ClipPlayer } from './clips/clip-player.tsx';
import { Timeline } from './clips/timeline.tsx';

/** Clips of one answer. */
const PAGE = 200;
const LOOK_MS = 5000;
const DAY_MS = 86_400_000;

interface Held {
  readonly clips: readonly ApiClip[];
  readonly answer: ApiClips;
}

export function ClipsPage(): JSX.Element {
  const { query } = route.value;
  const sensor = query['sensor'] ?? '';
  /** Undefined: the last day, as it goes on. */
  const [fixed, setFixed] = useState<Span>();
  const [range, setRange] = useState<number>(DAY_MS);
  const [now, setNow] = useState(Date.now());
  const span = fixed ?? { from: now - range, to: now };
  const [held, setHeld] = useState<Held>();
  const [error, setError] = useState<string>();
  const [chosen, setChosen] = useState<string | undefined>(query['clip']);
  const loading = useRef(false);
  const ask = {
    sensor: sensor === '' ? undefined : sensor,
    from: iso(span.from),
    to: fixed ? iso(span.to) : undefined,
  };
  const key = `${sensor} ${fixed ? `${fixed.from} ${fixed.to}` : range}`;
  const shown = useRef(key);
  const timeline = useLoaded(() => api.timeline({ ...ask, to: iso(span.to) }), [key, now]);

  // New clips come on top while one looks; those that were loaded further down stay.
  useEffect(() => {
    let over = false;
    const look = async (): Promise<void> => {
      if (document.hidden || loading.current) return;
      try {
        const answer = await api.clips({ ...ask, limit: PAGE });
        if (over) return;
        setError(undefined);
        setHeld((old) =>
          old && old.clips.length > answer.clips.length
            ? { ...old, clips: onTop(answer.clips, old.clips) }
            : { clips: answer.clips, answer },
        );
        if (!fixed) setNow((old) => (Date.now() - old > 30_000 ? Date.now() : old));
      } catch (fault) {
        if (!over) setError(reasonOf(fault));
      }
    };
    setHeld(undefined);
    if (shown.current !== key) setChosen(undefined);
    shown.current = key;
    void look();
    const timer = window.setInterval(() => void look(), LOOK_MS);
    return () => {
      over = true;
      window.clearInterval(timer);
    };
  }, [key]);

  const more = async (): Promise<void> => {
    const next = held?.answer.next;
    if (next === undefined || loading.current) return;
    loading.current = true;
    try {
      const answer = await api.clips({ ...ask, limit: PAGE, before: next });
      setHeld((old) => (old ? { clips: [...old.clips, ...answer.clips], answer } : old));
    } catch (fault) {
      setError(reasonOf(fault));
    }
    loading.current = false;
  };

  const clips = held?.clips ?? [];
  // What is played goes on when a newer clip comes on top of the list.
  const newest = clips[0]?.name;
  useEffect(() => {
    if (chosen === undefined && newest !== undefined) setChosen(newest);
  }, [chosen, newest]);
  const index = clips.findIndex(({ name }) => name === chosen);
  const clip = clips[index] ?? (chosen === undefined ? clips[0] : undefined);
  const at = clip ? clips.indexOf(clip) : -1;
  // The list is newest first, and time goes on upwards.
  const go = (by: number): void => {
    const next = clips[at - by];
    if (next) setChosen(next.name);
    else if (by < 0) void more();
  };
  const { sources } = held?.answer ?? {};
  return (
    <>
      <Heading title="Clips">
        <label class="field inline">
          <span>Camera</span>
          <select
            value={sensor}
            onChange={(event) => {
              const value = event.currentTarget.value;
              location.hash = href('clips', [], value === '' ? {} : { sensor: value });
            }}
          >
            <option value="">all</option>
            {[...new Set([...(held?.answer.sensors ?? []), ...(sensor === '' ? [] : [sensor])])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <div class="modes" role="radiogroup" aria-label="Span of time">
          {RANGES.map(({ name, ms }) => (
            <button
              key={name}
              type="button"
              role="radio"
              aria-checked={!fixed && range === ms}
              onClick={() => {
                setFixed(undefined);
                setNow(Date.now());
                setRange(ms);
              }}
            >
              {name}
            </button>
          ))}
        </div>
        <label class="field inline">
          <span>until</span>
          <input
            type="datetime-local"
            step={1}
            value={inputTime(span.to)}
            onChange={(event) => {
              const to = Date.parse(event.currentTarget.value);
              if (Number.isFinite(to)) setFixed({ from: to - (span.to - span.from), to });
            }}
          />
        </label>
      </Heading>
      {error && <Notice>{error}</Notice>}
      {sources?.storage.state === 'unreachable' || sources?.storage.state === 'refused' ? (
        <Notice kind="warn">
          Storage: {sources.storage.message ?? sources.storage.state}. Clips on the device are shown.
        </Notice>
      ) : null}
      <Timeline
        span={span}
        buckets={timeline.value?.buckets ?? []}
        bucketMs={(timeline.value?.bucketSeconds ?? 60) * 1000}
        at={clip ? Date.parse(clip.startedAt) : undefined}
        onSpan={setFixed}
        onPick={(time) => {
          const near = nearest(clips, time);
          if (near) setChosen(near.name);
          else setFixed({ from: time - (span.to - span.from) / 2, to: time + (span.to - span.from) / 2 });
        }}
      />
      {held && clips.length === 0 ? (
        <Empty title="No clips in this span of time.">
          <p class="dim">A clip appears when a rule starts a recording, or recording is switched on by hand.</p>
        </Empty>
      ) : (
        <div class="clips">
          {clip ? (
            <ClipPlayer key={clip.name} clip={clip} hasPrevious={at < clips.length - 1} hasNext={at > 0} go={go} />
          ) : (
            <div class="stage">
              {chosen && held && <Notice kind="warn">The clip {chosen} is not here any more.</Notice>}
            </div>
          )}
          <ClipList
            clips={clips}
            total={held?.answer.total ?? clips.length}
            chosen={clip?.name}
            onChoose={setChosen}
            onEnd={() => void more()}
          />
        </div>
      )}
    </>
  );
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function onTop(fresh: readonly ApiClip[], old: readonly ApiClip[]): ApiClip[] {
  const last = fresh.at(-1);
  const below = last ? old.findIndex(({ name }) => name === last.name) : -1;
  return below === -1 ? [...fresh] : [...fresh, ...old.slice(below + 1)];
}

function nearest(clips: readonly ApiClip[], time: number): ApiClip | undefined {
  let best: ApiClip | undefined;
  for (const clip of clips) {
    const far = (one: ApiClip): number => Math.abs(Date.parse(one.startedAt) - time);
    if (!best || far(clip) < far(best)) best = clip;
  }
  return best;
}
