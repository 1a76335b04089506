import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClip } from '../../../../src/api.ts';
import { bytes, clock } from '../../core/format.ts';
import { rowsInView } from '../../core/virtual.ts';
import { useSize } from '../../ui/use.ts';

/** Pixels of a row, as the style sheet has it. */
const ROW = 76;

interface Props {
  readonly clips: readonly ApiClip[];
  readonly total: number;
  readonly chosen: string | undefined;
  readonly onChoose: (name: string) => void;
  /** The end of what was loaded is near. */
  readonly onEnd: () => void;
}

/** Clips, newest first: of ten thousand only those that can be seen are on the page. */
export function ClipList({ clips, total, chosen, onChoose, onEnd }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  const [top, setTop] = useState(0);
  const rows = rowsInView(clips.length, ROW, top, height);
  useEffect(() => {
    if (clips.length < total && rows.end >= clips.length - 10) onEnd();
  }, [rows.end, clips.length, total]);

  const step = (by: number): void => {
    const at = clips.findIndex(({ name }) => name === chosen);
    const next = clips[Math.min(clips.length - 1, Math.max(0, at + by))];
    if (!next) return;
    onChoose(next.name);
    const wanted = clips.indexOf(next) * ROW;
    const element = box.current;
    if (element && (wanted < element.scrollTop || wanted + ROW > element.scrollTop + height))
      element.scrollTop = wanted - height / 2;
  };
  return (
    <div class="clip-list-box">
      <p class="dim clip-count" aria-live="polite">
        {total} {total === 1 ? 'clip' : 'clips'}
      </p>
      <div
        ref={box}
        class="clip-list"
        role="listbox"
        tabIndex={0}
        aria-label="Clips, newest first"
        aria-activedescendant={chosen === undefined ? undefined : `clip-${chosen}`}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={(event) => {
          const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          step(by);
        }}
      >
        <div style={{ height: `${rows.height}px` }}>
          <div style={{ transform: `translateY(${rows.above}px)` }}>
            {clips.slice(rows.first, rows.end).map((clip, index) => (
              <Row
                key={clip.name}
                clip={clip}
                chosen={clip.name === chosen}
                position={rows.first + index + 1}
                total={total}
                onChoose={onChoose}
              />
            ))}
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
  readonly total: number;
  readonly onChoose: (name: string) => void;
}

function Row({ clip, chosen, position, total, onChoose }: RowProps): JSX.Element {
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
      <img src={clip.thumbUrl} alt="" loading="lazy" width={96} height={54} />
      <span class="clip-text">
        <strong>{started.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })}</strong>
        <span>{facts.join(' · ')}</span>
        <span class="dim">{known.join(' · ')}</span>
      </span>
    </div>
  );
}
