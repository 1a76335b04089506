import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClip } from '../../../../src/api.ts';
import { bytes, clock } from '../../core/format.ts';
import { Slots } from '../../core/slots.ts';
import { rowsInView } from '../../core/virtual.ts';
import { useSize } from '../../ui/use.ts';

/** Pixels of a row, as the style sheet has it. */
const ROW = 76;
/** A row that is scrolled past sooner asks for nothing. */
const REST_MS = 120;
/** A browser has six connections to a server; lists and the clip itself must not wait for the making of pictures. */
const pictures = new Slots(3);
/** What is not read by then is asked for again, not more often than this in all. */
const FILL_MS = 400;
const MOST_FILLS = 8;
const STEPS: Readonly<Record<string, number>> = {
  ...{ ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 },
  ...{ Home: -Infinity, End: Infinity },
};

interface Props {
  readonly clips: readonly ApiClip[];
  /** Those that are not loaded yet included. */
  readonly total: number;
  readonly chosen: string | undefined;
  /** A change brings the chosen clip into view. */
  readonly shown: number;
  readonly onChoose: (name: string) => void;
  /** Somebody looks at the end of what is loaded, or below it. */
  readonly onEnd: () => void;
  /** Clips are looked at of whose JSON nothing was said yet. */
  readonly onUnread: (names: readonly string[]) => void;
}

/** Clips, newest first: of ten thousand only those that can be seen are on the page. */
export function ClipList({ clips, total, chosen, shown, onChoose, onEnd, onUnread }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  const [top, setTop] = useState(0);
  /** Row that is chosen as soon as it is loaded. */
  const [wanted, setWanted] = useState<number>();
  const rows = rowsInView(total, ROW, top, height);
  useEffect(() => {
    if (clips.length < total && rows.end >= clips.length - 10) onEnd();
    const clip = wanted === undefined ? undefined : clips[wanted];
    if (!clip) return;
    setWanted(undefined);
    onChoose(clip.name);
  }, [rows.end, clips.length, total, wanted]);

  const unread = clips.slice(rows.first, rows.end).filter(({ jsonUrl, seconds }) => jsonUrl && seconds === null);
  const names = unread.map(({ name }) => name);
  const key = names.join('\n');
  const fills = useRef({ key, count: 0 });
  useEffect(() => {
    if (fills.current.key !== key) fills.current = { key, count: 0 };
    if (names.length === 0) return;
    const timer = window.setInterval(() => {
      fills.current.count += 1;
      if (fills.current.count <= MOST_FILLS) onUnread(names);
    }, FILL_MS);
    return () => window.clearInterval(timer);
  }, [key]);

  const at = clips.findIndex(({ name }) => name === chosen);
  const bring = (row: number): void => {
    const element = box.current;
    const from = row * ROW;
    if (!element || height === 0) return;
    if (from < element.scrollTop || from + ROW > element.scrollTop + height) element.scrollTop = from - height / 2;
  };
  useEffect(() => {
    if (at >= 0) bring(at);
  }, [shown, height === 0]);
  // The one before or after is followed; who has scrolled away is left there.
  useEffect(() => {
    if (at >= 0 && Math.abs(at * ROW - top) < 2 * height) bring(at);
  }, [chosen]);

  const step = (by: number): void => {
    const next = Math.min(total - 1, Math.max(0, at + by));
    bring(next);
    const clip = clips[next];
    if (clip) onChoose(clip.name);
    else setWanted(next);
  };
  return (
    <div class="clip-list-box">
      <p class="dim clip-count" aria-live="polite">
        {total.toLocaleString()} {total === 1 ? 'clip' : 'clips'}
      </p>
      <div
        ref={box}
        class="clip-list"
        role="listbox"
        tabIndex={0}
        aria-label="Clips, newest first"
        aria-activedescendant={at < rows.first || at >= rows.end ? undefined : `clip-${chosen ?? ''}`}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => {
          const by = STEPS[event.key];
          if (by === undefined) return;
          event.preventDefault();
          step(by);
        }}
      >
        <div style={{ height: `${rows.height}px` }}>
          <div style={{ transform: `translateY(${rows.above}px)` }}>
            {Array.from({ length: rows.end - rows.first }, (_, index) => {
              const clip = clips[rows.first + index];
              if (!clip) return <div key={`row ${rows.first + index}`} class="clip-row waiting" aria-hidden="true" />;
              const position = rows.first + index + 1;
              const seen = position * ROW > top && (position - 1) * ROW < top + height;
              const own = { clip, position, total, seen, chosen: clip.name === chosen, onChoose };
              return <Row key={clip.name} {...own} />;
            })}
          </div>
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly clip: ApiClip;
  readonly chosen: boolean;
  readonly position: number;
  /** Not only near to what can be seen. */
  readonly seen: boolean;
  readonly total: number;
  readonly onChoose: (name: string) => void;
}

function Row({ clip, chosen, position, seen, total, onChoose }: RowProps): JSX.Element {
  const started = new Date(clip.startedAt);
  const facts = [clip.sensor, clip.seconds === null ? '' : clock(clip.seconds), bytes(clip.bytes)].filter(Boolean);
  const objects = clip.objects === null ? '' : clip.labels.slice(0, 3).join(', ') || 'no objects';
  const place = { device: '', both: 'uploaded', storage: 'in storage' }[clip.where];
  const known = [objects, place].filter(Boolean);
  return (
    <div
      id={`clip-${clip.name}`}
      class="clip-row"
      role="option"
      aria-selected={chosen}
      aria-posinset={position}
      aria-setsize={total}
      onClick={() => onChoose(clip.name)}
    >
      <Thumbnail url={clip.thumbUrl} seen={seen} />
      <span class="clip-text">
        <strong>{started.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })}</strong>
        <span title={clip.sensor}>{facts.join(' · ')}</span>
        <span class="dim">{known.join(' · ')}</span>
      </span>
    </div>
  );
}

function Thumbnail({ url, seen }: { url: string; seen: boolean }): JSX.Element {
  const [state, setState] = useState<'none' | 'asked' | 'there' | 'failed'>('none');
  const first = useRef(url).current;
  const done = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    if (!seen || state !== 'none') return;
    const timer = window.setTimeout(() => (done.current = pictures.take(() => setState('asked'))), REST_MS);
    return () => window.clearTimeout(timer);
  }, [seen, state]);
  useEffect(() => () => done.current?.(), []);
  const end = (next: 'there' | 'failed'): void => {
    setState(next);
    done.current?.();
  };
  if (state === 'none' || state === 'failed') return <span class="no-thumbnail" />;
  return <img src={first} alt="" width={96} height={54} onLoad={() => end('there')} onError={() => end('failed')} />;
}
