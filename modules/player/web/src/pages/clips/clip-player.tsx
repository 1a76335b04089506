import type { ClipDocument, RegionOfInterest } from '@vantage/contracts';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClip } from '../../../../src/api.ts';
import { reasonOf } from '../../api.ts';
import { clock, counts } from '../../core/format.ts';
import { clipFrames, matchFrame, type FrameInsights } from '../../core/overlay.ts';
import { ALL_OVERLAYS } from '../../live/draw.ts';
import { OverlayCanvas } from '../../live/overlay-canvas.ts';
import { href } from '../../router.ts';
import { Icon } from '../../ui/icons.tsx';
import { Notice, Toggle } from '../../ui/parts.tsx';

/** Half a frame of the fastest camera: nearer is the same frame. */
const SAME_FRAME_US = 8000;

/** Kept from clip to clip. */
const remembered = { autoplay: true, detections: true, regions: true };

interface Props {
  readonly clip: ApiClip;
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  /** To the clip before (-1) or after (1) in time. */
  readonly go: (by: number) => void;
}

interface Loaded {
  readonly frames: readonly FrameInsights[];
  readonly regions: readonly RegionOfInterest[];
  readonly size: { readonly width: number; readonly height: number };
}

/** A clip with what its JSON says of each frame drawn at that frame. */
export function ClipPlayer({ clip, hasPrevious, hasNext, go }: Props): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<OverlayCanvas | undefined>(undefined);
  const [loaded, setLoaded] = useState<Loaded>();
  const [error, setError] = useState<string>();
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [show, setShow] = useState({ detections: remembered.detections, regions: remembered.regions });
  const [autoplay, setAutoplay] = useState(remembered.autoplay);
  // A list that is read again brings addresses with new signatures; what plays goes on with the old one.
  const urls = useRef(clip).current;
  const seconds = clip.seconds ?? video.current?.duration ?? 0;

  useEffect(() => {
    if (!video.current || !canvas.current) return;
    const drawn = new OverlayCanvas(canvas.current, video.current, ALL_OVERLAYS);
    overlay.current = drawn;
    drawn.start();
    const resized = new ResizeObserver(() => drawn.redraw());
    resized.observe(canvas.current);
    return () => {
      resized.disconnect();
      drawn.stop();
    };
  }, []);

  useEffect(() => {
    if (urls.jsonUrl === undefined) return;
    const over = new AbortController();
    loadInsights(urls.jsonUrl, over.signal).then(setLoaded, (fault: unknown) => {
      if (!over.signal.aborted) setError(`The boxes of this clip cannot be read. ${reasonOf(fault)}`);
    });
    return () => over.abort();
  }, []);

  useEffect(() => {
    const drawn = overlay.current;
    if (!drawn) return;
    const { detections, regions } = show;
    drawn.options = { boxes: detections, labels: detections, tracks: detections, regions };
    drawn.regions = loaded?.regions ?? [];
    drawn.match = (ptsUs) => matchFrame(loaded?.frames ?? [], ptsUs, SAME_FRAME_US);
    drawn.redraw();
  }, [loaded, show]);

  const toggle = (): void => {
    const element = video.current;
    if (!element) return;
    if (element.paused) void element.play().catch(() => undefined);
    else element.pause();
  };
  const seek = (to: number): void => {
    if (video.current) video.current.currentTime = Math.min(Math.max(0, to), seconds);
  };
  const match = matchFrame(loaded?.frames ?? [], at * 1e6, 60_000);
  const labels: Record<string, number> = {};
  for (const { label } of match?.frame.detections ?? []) labels[label] = (labels[label] ?? 0) + 1;
  const { width, height } = loaded?.size ?? { width: 16, height: 9 };
  return (
    <div
      class="stage"
      onKeyDown={(event) => {
        const target = event.target as HTMLElement;
        // The slider's own steps are those of the mouse: a hundred to a second.
        const isSlider = target.matches('.seek') && event.key.startsWith('Arrow');
        if (!isSlider && (target.tagName === 'INPUT' || target.tagName === 'BUTTON')) return;
        const act = {
          ' ': toggle,
          ArrowLeft: () => seek(at - 1),
          ArrowRight: () => seek(at + 1),
          n: () => go(1),
          p: () => go(-1),
        }[event.key];
        if (!act) return;
        event.preventDefault();
        act();
      }}
    >
      <div class="picture" style={{ aspectRatio: `${width} / ${height}`, '--shape': `${width / height}` }}>
        <video
          ref={video}
          src={urls.videoUrl}
          muted
          playsInline
          autoplay={autoplay}
          preload="auto"
          tabIndex={0}
          aria-label={`Clip of ${clip.sensor}, ${new Date(clip.startedAt).toLocaleString()}`}
          onClick={toggle}
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
          onEnded={() => remembered.autoplay && hasNext && go(1)}
          onError={() =>
            setError('This clip cannot be played: it is gone, or its address is too old. Choose it again.')
          }
        />
        <canvas ref={canvas} class="overlay" aria-hidden="true" />
      </div>
      <input
        class="seek"
        type="range"
        min={0}
        max={seconds || 1}
        step={0.01}
        value={at}
        aria-label="Position in the clip"
        aria-valuetext={`${clock(at)} of ${clock(seconds)}`}
        onInput={(event) => seek(Number(event.currentTarget.value))}
      />
      <div class="controls">
        <button type="button" class="icon-button" disabled={!hasPrevious} onClick={() => go(-1)}>
          <Icon name="previous" />
          <span class="hidden-text">Previous clip</span>
        </button>
        <button type="button" class="icon-button" onClick={toggle}>
          <Icon name={playing ? 'pause' : 'play'} />
          <span class="hidden-text">{playing ? 'Pause' : 'Play'}</span>
        </button>
        <button type="button" class="icon-button" disabled={!hasNext} onClick={() => go(1)}>
          <Icon name="next" />
          <span class="hidden-text">Next clip</span>
        </button>
        <span class="time">
          {clock(at)} / {clock(seconds)}
        </span>
        <Toggle
          label="Detections"
          on={show.detections}
          onChange={(on) => setShow({ ...show, detections: (remembered.detections = on) })}
        />
        <Toggle
          label="Regions"
          on={show.regions}
          onChange={(on) => setShow({ ...show, regions: (remembered.regions = on) })}
        />
        <Toggle label="Autoplay" on={autoplay} onChange={(on) => setAutoplay((remembered.autoplay = on))} />
      </div>
      <div class="caption">
        <p>
          <strong>{clip.sensor}</strong> {new Date(Date.parse(clip.startedAt) + at * 1000).toLocaleString()} ·{' '}
          {counts(labels)} ·{' '}
          <a
            href={href('why', [clip.pipeline, clip.sensor], {
              at: new Date(Date.parse(clip.startedAt) + at * 1000).toISOString(),
            })}
          >
            why?
          </a>
        </p>
        <span class="exports">
          <a class="button" href={clip.videoUrl} download={`${clip.name}.mp4`}>
            <Icon name="download" size={16} /> mp4
          </a>
          {clip.overlayUrl !== undefined && (
            <a class="button" href={clip.overlayUrl} download={`${clip.name}.overlay.mp4`}>
              <Icon name="download" size={16} /> with boxes
            </a>
          )}
          {clip.jsonUrl !== undefined && (
            <a class="button" href={clip.jsonUrl} download={`${clip.name}.json`}>
              <Icon name="download" size={16} /> json
            </a>
          )}
        </span>
      </div>
      {clip.jsonUrl === undefined && <p class="dim">This clip has no JSON beside it: there are no boxes to show.</p>}
      {error && <Notice kind="warn">{error}</Notice>}
    </div>
  );
}

async function loadInsights(url: string, signal: AbortSignal): Promise<Loaded> {
  const response = await fetch(url, { signal, credentials: 'same-origin' });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const document = (await response.json()) as ClipDocument;
  const source = document.inferences[0]?.sourceInfo;
  const own = document.regionsOfInterest.filter(({ sensor }) => source === undefined || sensor === source.id);
  return { frames: clipFrames(document), regions: own, size: source ?? { width: 16, height: 9 } };
}
