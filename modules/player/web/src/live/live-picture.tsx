import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiCamera } from '../../../src/api.ts';
import { liveUrl, pictureUrl } from '../api.ts';
import { SAME_FRAME_US, type FrameInsights } from '../core/overlay.ts';
import { ALL_OVERLAYS, type DrawnRegion, type OverlayOptions } from './draw.ts';
import { LiveStream, type LiveState } from './live-stream.ts';
import { OverlayCanvas } from './overlay-canvas.ts';

interface Props {
  readonly camera: ApiCamera;
  readonly paused: boolean;
  readonly options?: OverlayOptions;
  readonly regions?: readonly DrawnRegion[];
  readonly onInsights?: (frame: FrameInsights) => void;
  readonly onBehind?: (seconds: number | undefined) => void;
  /** Whether there is a picture of now. */
  readonly onShown?: (shown: boolean) => void;
  /** On top of the picture, exactly as large. */
  readonly children?: ComponentChildren;
}

const WORDS: Readonly<Record<LiveState, string>> = {
  connecting: 'Connecting …',
  picture: '',
  stills: '',
  waiting: 'Waiting for a picture …',
  lost: 'The picture is lost; trying again …',
};

/** A camera as it is now, with what the pipeline says of the frame on the screen drawn over it. */
export function LivePicture(props: Props): JSX.Element {
  const { camera, paused, options = ALL_OVERLAYS, regions = camera.regions, children } = props;
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const parts = useRef<{ stream: LiveStream; overlay: OverlayCanvas } | undefined>(undefined);
  const [state, setState] = useState<{ state: LiveState; why: string | undefined }>({
    state: 'connecting',
    why: undefined,
  });
  const [size, setSize] = useState(camera.resolution ?? { width: 16, height: 9 });
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    // Of a camera that no pipeline looks at there is nothing to ask for.
    if (!video.current || !canvas.current || camera.pipeline === '') return;
    const overlay = new OverlayCanvas(canvas.current, video.current, options);
    overlay.regions = regions;
    let stills = false;
    const stream = new LiveStream(video.current, liveUrl(camera), {
      state: (next, why) => {
        stills = next === 'stills' || (stills && next === 'connecting');
        setState((old) => (old.state === next && old.why === why ? old : { state: next, why }));
        latest.current.onShown?.(next === 'picture' || next === 'stills');
      },
      size: (width, height) => {
        if (width > 0 && height > 0) setSize({ width, height });
      },
      insights: (frame) => {
        latest.current.onInsights?.(frame);
        if (stills && !latest.current.paused) overlay.show({ frame, exact: false });
        // Boxes that come after their frame is on the screen are drawn as long as it is.
        else if (Math.abs(frame.ptsUs - (overlay.ptsUs ?? -1e9)) < SAME_FRAME_US) overlay.redraw();
      },
    });
    overlay.match = (ptsUs) => stream.insights.at(ptsUs);
    overlay.start();
    stream.start();
    parts.current = { stream, overlay };
    const resized = new ResizeObserver(() => overlay.redraw());
    resized.observe(canvas.current);
    const timer = window.setInterval(() => latest.current.onBehind?.(stream.behind), 500);
    return () => {
      window.clearInterval(timer);
      resized.disconnect();
      overlay.stop();
      stream.stop();
      parts.current = undefined;
    };
  }, [camera.pipeline, camera.sensor]);

  useEffect(() => {
    const overlay = parts.current?.overlay;
    if (!overlay) return;
    overlay.options = options;
    overlay.regions = regions;
    overlay.redraw();
  }, [options, regions]);

  useEffect(() => {
    parts.current?.stream[paused ? 'pause' : 'resume']();
  }, [paused]);

  const stills = state.state === 'stills';
  const words = camera.pipeline === '' ? 'No picture: no pipeline looks at this camera.' : WORDS[state.state];
  return (
    <div
      class="picture"
      style={{ aspectRatio: `${size.width} / ${size.height}`, '--shape': `${size.width / size.height}` }}
    >
      <video
        ref={video}
        muted
        playsInline
        disableRemotePlayback
        hidden={stills}
        aria-label={`Live picture of ${camera.sensor}`}
      />
      {stills && (
        <img
          src={pictureUrl(camera, paused ? 'jpg' : 'mjpeg')}
          alt={`Live picture of ${camera.sensor}, one still after the other`}
        />
      )}
      <canvas ref={canvas} class="overlay" aria-hidden="true" />
      {children}
      {words !== '' && (
        <p class="picture-word" role="status">
          {words} {state.why && <small>{state.why}</small>}
        </p>
      )}
    </div>
  );
}
