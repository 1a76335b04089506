import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { ApiTimeline } from '../../../../src/api.ts';
import { barHeights, pan, ticks, zoom, type Span } from '../../core/timeline.ts';
import { Icon } from '../../ui/icons.tsx';
import { useSize } from '../../ui/use.ts';

interface Props {
  readonly span: Span;
  readonly buckets: ApiTimeline['buckets'];
  readonly bucketMs: number;
  /** The clip that is played, epoch milliseconds. */
  readonly at: number | undefined;
  readonly onSpan: (span: Span) => void;
  readonly onPick: (time: number) => void;
}

const HEIGHT = 44;
/** Pixels that a time needs. */
const LABEL = 56;

/** When there are clips: bars over time. A click plays the nearest clip, the wheel zooms. */
export function Timeline({ span, buckets, bucketMs, at, onSpan, onPick }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const x = (time: number): number => ((time - span.from) / (span.to - span.from)) * width;
  const time = (event: MouseEvent): number => {
    const left = box.current?.getBoundingClientRect().left ?? 0;
    return span.from + ((event.clientX - left) / Math.max(1, width)) * (span.to - span.from);
  };
  const heights = barHeights(buckets.map(({ clips }) => clips));
  const long = span.to - span.from > 2 * 86_400_000;
  const total = buckets.reduce((sum, { clips }) => sum + clips, 0);
  return (
    <div class="timeline">
      <button type="button" class="icon-button" onClick={() => onSpan(pan(span, -0.5))}>
        <Icon name="left" />
        <span class="hidden-text">Earlier</span>
      </button>
      <div
        ref={box}
        class="timeline-bars"
        role="img"
        aria-label={`${total} clips from ${new Date(span.from).toLocaleString()} to ${new Date(span.to).toLocaleString()}`}
        onClick={(event) => onPick(time(event))}
        onWheel={(event) => {
          event.preventDefault();
          onSpan(zoom(span, event.deltaY > 0 ? 1.4 : 0.7, time(event)));
        }}
      >
        <svg width={width} height={HEIGHT + 18} aria-hidden="true">
          {ticks(span, Math.max(2, width / 90)).map((mark) => (
            <g key={mark}>
              <line x1={x(mark)} x2={x(mark)} y1={0} y2={HEIGHT + 3} class="tick" />
              <text x={x(mark) + 3} y={HEIGHT + 14} hidden={x(mark) > width - LABEL}>
                {long
                  ? new Date(mark).toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
                  : new Date(mark).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
              </text>
            </g>
          ))}
          {buckets.map((bucket, index) => {
            const height = (heights[index] ?? 0) * HEIGHT;
            const from = x(Date.parse(bucket.at));
            const wide = Math.max(3, x(Date.parse(bucket.at) + bucketMs) - from - 1);
            return (
              <rect key={bucket.at} class="bar" x={from} y={HEIGHT - height} width={wide} height={height} rx={1.5} />
            );
          })}
          {at !== undefined && <line class="now" x1={x(at)} x2={x(at)} y1={0} y2={HEIGHT + 3} />}
        </svg>
      </div>
      <button type="button" class="icon-button" onClick={() => onSpan(pan(span, 0.5))}>
        <Icon name="right" />
        <span class="hidden-text">Later</span>
      </button>
    </div>
  );
}
