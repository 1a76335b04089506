import { InferenceClient, type InferenceResult } from '@vantage/inference';
import { VideoSource, type EncodedPacket, type PictureRequest, type SourceStream } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { createTracker, type Detection, type Tracker } from '@vantage/vision';
import { ClipRecorder } from './clip-recorder.ts';
import { FrameFlow, type FlowPicture } from './frame-flow.ts';
import type { CameraCounters, CameraModel, CameraSetup, FromCamera, ToCamera } from './protocol.ts';
import { threadLogger } from './thread-logger.ts';

const COUNTERS_EVERY_MS = 1000;

/** Everything one camera does on its thread. */
export class CameraTask {
  readonly #setup: CameraSetup;
  readonly #send: (message: FromCamera) => void;
  readonly #flow: FrameFlow;
  readonly #recorder: ClipRecorder | undefined;
  #model: CameraModel | undefined;
  #tracker: Tracker | undefined;
  #source: VideoSource | undefined;
  #stream: SourceStream | undefined;
  /** A frame whose wall clock is known: the others' follow from their distance to it. */
  #clock: { ptsUs: number; captureTimeMs: number } | undefined;
  #counting: NodeJS.Timeout | undefined;
  #counted = { frames: 0, packets: 0, reconnects: 0 };
  #failure: string | undefined;
  #lastAnalysed = { count: 0, inferenceUs: 0, ms: 0 };

  constructor(setup: CameraSetup, send: (message: FromCamera) => void) {
    this.#setup = setup;
    this.#send = send;
    this.#tracker = setup.track ? createTracker('light-tracker') : undefined;
    this.#flow = new FrameFlow({
      policy: setup.pace === 'realtime' ? 'latest' : 'block',
      view: () => this.#view(),
      onResult: (picture, result) => this.#onResult(picture, result),
    });
    this.#recorder = setup.recording
      ? new ClipRecorder({
          sensor: setup.sensor,
          ffmpeg: setup.ffmpeg,
          settings: setup.recording,
          regions: setup.regions,
          onState: (on, reason) => send({ kind: 'recording', on, reason }),
          onClip: (clip) => send({ kind: 'clip', clip }),
          onProblem: (code, message) => send({ kind: 'problem', code, message }),
        })
      : undefined;
  }

  async handle(message: ToCamera): Promise<void> {
    switch (message.kind) {
      case 'open':
        this.#useModel(message.model);
        this.#counting = setInterval(() => this.#sendCounters(), COUNTERS_EVERY_MS);
        this.#open();
        return;
      case 'model': {
        const same = samePicture(this.#picture(), this.#pictureFor(message.model));
        // Pictures of the old size must not reach the new model.
        if (!same) await this.#source?.stop();
        this.#useModel(message.model);
        if (!same) this.#open();
        return;
      }
      case 'record':
        this.#recorder?.record(message.on, message.reason);
        return;
      case 'recordingSettings':
        this.#recorder?.setSettings(message.settings);
        return;
      case 'regions':
        this.#recorder?.setRegions(message.regions);
        return;
      case 'tracker':
        this.#tracker = message.track ? createTracker('light-tracker') : undefined;
        return;
      case 'stop':
        clearInterval(this.#counting);
        await this.#source?.stop();
        this.#flow.use(undefined);
        await this.#recorder?.stop();
        return;
    }
  }

  #useModel(model: CameraModel | undefined): void {
    this.#model = model;
    this.#flow.use(model ? new InferenceClient(model.port) : undefined);
  }

  /** What ffmpeg has to deliver for the model; without one, no picture is ever decoded. */
  #picture(): PictureRequest | undefined {
    return this.#pictureFor(this.#model);
  }

  #pictureFor(model: CameraModel | undefined): PictureRequest | undefined {
    if (!model) return undefined;
    const { network, keepAspect, interval } = model;
    return {
      networkWidth: network.width,
      networkHeight: network.height,
      keepAspect,
      everyNth: interval + 1,
      ...(this.#setup.crop ? { crop: this.#setup.crop } : {}),
    };
  }

  #open(): void {
    const { url, ffmpeg, pace, loop, sensor } = this.#setup;
    const picture = this.#picture();
    this.#source = new VideoSource(
      {
        url,
        ffmpeg,
        picture,
        encoded: this.#recorder !== undefined || picture === undefined,
        pace,
        loop,
        // A file that is read once and cannot be read is a mistake; a camera may come back any time.
        reconnect: pace === 'asFastAsPossible' && !loop ? false : {},
        logger: threadLogger(this.#send, { sensor }),
      },
      {
        onStream: (stream) => {
          this.#stream = stream;
          const { sourceWidth: width, sourceHeight: height, codec, fps } = stream;
          this.#send({ kind: 'stream', width, height, codec, fps });
        },
        takeBuffer: (bytes) => this.#flow.takeBuffer(bytes),
        onPicture: (taken) => {
          this.#counted.frames += 1;
          this.#clock = taken;
          const every = (this.#model?.interval ?? 0) + 1;
          return this.#flow.push({ ...taken, frameId: taken.sequence * every });
        },
        onHeader: (bytes) => this.#recorder?.onHeader(bytes),
        onPacket: (packet) => this.#onPacket(packet),
        onState: (state) => {
          if (state.state === 'reconnecting') this.#onGap();
          // The last frames are still with the model: their insights come before the news that nothing more will.
          if (state.state === 'ended') void this.#flow.drain().then(() => this.#ended(state));
          else this.#send({ kind: 'state', state });
        },
      },
    );
    this.#source.start();
  }

  async #ended(state: Extract<FromCamera, { kind: 'state' }>['state']): Promise<void> {
    await this.#recorder?.sourceEnded();
    this.#sendCounters();
    this.#send({ kind: 'state', state });
  }

  /** The camera comes back to another scene: what was tracked and recorded ends here. */
  #onGap(): void {
    this.#counted.reconnects += 1;
    this.#tracker?.reset();
    void this.#recorder?.sourceEnded();
  }

  #onPacket({ ptsUs, key, bytes }: EncodedPacket): void {
    const frameId = this.#counted.packets++;
    this.#clock ??= { ptsUs, captureTimeMs: Date.now() };
    const captureTimeMs = this.#clock.captureTimeMs + Math.round((ptsUs - this.#clock.ptsUs) / 1000);
    this.#recorder?.onPacket({ ptsUs, key, bytes }, captureTimeMs);
    if (this.#model || !this.#stream) return;
    // Nobody looks at pixels, and yet each frame has its entry: its time, and nothing seen.
    this.#emit(this.#insights({ frameId, ptsUs, captureTimeMs }, []));
  }

  #onResult(picture: FlowPicture, result: InferenceResult): void {
    if (result.error !== undefined) {
      // Said once, not thirty times a second; the counters have the number.
      if (result.error !== this.#failure) {
        const message = `the model failed on a frame of camera ${this.#setup.sensor}: ${result.error}`;
        this.#send({ kind: 'problem', code: 'INFERENCE_FAILED', message });
      }
      this.#failure = result.error;
      return;
    }
    this.#failure = undefined;
    const found = result.outputs[0]?.detections ?? [];
    const detections = this.#tracker?.update(found, picture.ptsUs) ?? found;
    this.#emit(this.#insights(picture, detections));
  }

  #insights(
    frame: { frameId: number; ptsUs: number; captureTimeMs: number },
    detections: readonly Detection[],
  ): FrameInsights {
    const { frameId, ptsUs, captureTimeMs } = frame;
    const { sourceWidth: width, sourceHeight: height } = this.#stream ?? { sourceWidth: 1, sourceHeight: 1 };
    return { sensor: this.#setup.sensor, frameId, ptsUs, captureTimeMs, width, height, detections };
  }

  #emit(frame: FrameInsights): void {
    this.#recorder?.onInsights(frame);
    this.#send({ kind: 'insights', frame });
  }

  /** The part of the frame that the model sees: all of it, or the crop as far as it lies inside (as ffmpeg clamps it). */
  #view(): { left: number; top: number; width: number; height: number } {
    const { sourceWidth, sourceHeight } = this.#stream ?? { sourceWidth: 1, sourceHeight: 1 };
    const { crop } = this.#setup;
    if (!crop) return { left: 0, top: 0, width: sourceWidth, height: sourceHeight };
    const left = Math.min(Math.max(0, crop.left), sourceWidth - 1);
    const top = Math.min(Math.max(0, crop.top), sourceHeight - 1);
    return {
      left,
      top,
      width: Math.min(crop.width, sourceWidth - left),
      height: Math.min(crop.height, sourceHeight - top),
    };
  }

  #sendCounters(): void {
    const { counters } = this.#flow;
    const analysed = counters.analysed - this.#lastAnalysed.count;
    if (analysed > 0) {
      const ms = (counters.inferenceUs - this.#lastAnalysed.inferenceUs) / analysed / 1000;
      this.#lastAnalysed = { count: counters.analysed, inferenceUs: counters.inferenceUs, ms };
    }
    this.#send({
      kind: 'counters',
      counters: {
        ...this.#counted,
        analysed: counters.analysed,
        dropped: { busy: counters.busy, error: counters.error },
        inferenceMs: Math.round(this.#lastAnalysed.ms * 100) / 100,
      } satisfies CameraCounters,
    });
  }
}

function samePicture(a: PictureRequest | undefined, b: PictureRequest | undefined): boolean {
  return (
    a?.networkWidth === b?.networkWidth &&
    a?.networkHeight === b?.networkHeight &&
    a?.keepAspect === b?.keepAspect &&
    a?.everyNth === b?.everyNth
  );
}
