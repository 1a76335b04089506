import { messageOf } from '@vantage/contracts';
import { InferenceClient } from '@vantage/inference';
import { VideoSource, type EncodedPacket, type Picture, type PictureRequest, type SourceStream } from '@vantage/media';
import { CameraObserver } from '../why/camera-observer.ts';
import { ClipRecorder } from './clip-recorder.ts';
import { FrameFlow, type FlowPicture } from './frame-flow.ts';
import { FrameNumbers } from './frame-numbers.ts';
import { LiveTap } from './live-tap.ts';
import type { CameraGraph } from './graph/camera-graph.ts';
import { looksAtPixels } from './graph/graph-runner.ts';
import { pictureFor, samePicture, viewOf } from './picture-request.ts';
import type { CameraModel, CameraSecondary, CameraSetup, FromCamera, ToCamera } from './protocol.ts';
import { PicturePool } from './graph/shared-picture.ts';
import { TaskCounters } from './task-counters.ts';
import { threadLogger } from './thread-logger.ts';
import { Trunk, both } from './trunk.ts';
import type { SharedPicture } from './graph/stage.ts';
import type { View } from './view.ts';

const COUNTERS_EVERY_MS = 1000;
/** Before the stream has said what it is. */
const UNKNOWN = { sourceWidth: 1, sourceHeight: 1 };

/** Everything one camera does on its thread. */
export class CameraTask {
  readonly #setup: CameraSetup;
  readonly #send: (message: FromCamera) => void;
  readonly #flow: FrameFlow;
  readonly #pictures = new PicturePool();
  readonly #recorder: ClipRecorder | undefined;
  readonly #trunk: Trunk;
  readonly #counters = new TaskCounters();
  readonly #observer: CameraObserver;
  readonly #live: LiveTap;
  #numbers = new FrameNumbers(1);
  #crop: CameraSetup['crop'];
  #maxFps: CameraSetup['maxFps'];
  #model: CameraModel | undefined;
  #source: VideoSource | undefined;
  #picture: PictureRequest | undefined;
  #stream: SourceStream | undefined;
  /** A frame whose wall clock is known: the others' follow from their distance to it. */
  #clock: { ptsUs: number; captureTimeMs: number } | undefined;
  #counting: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(setup: CameraSetup, sendAway: (message: FromCamera) => void) {
    this.#setup = setup;
    this.#observer = new CameraObserver(setup, sendAway, () => {
      const { analysed, error } = this.#flow.counters;
      return { sampled: analysed, error, busy: this.#flow.edge.dropped };
    });
    const send = (message: FromCamera): void => sendAway(this.#observer.pass(message));
    this.#send = send;
    this.#live = new LiveTap(send);
    this.#crop = setup.crop;
    this.#maxFps = setup.maxFps;
    this.#flow = new FrameFlow({
      queue: setup.queue,
      onFrame: (picture, result) => (result ? this.#trunk.onResult(picture, result) : this.#trunk.onSkipped(picture)),
    });
    this.#recorder = setup.recording
      ? new ClipRecorder({
          sensor: setup.sensor,
          ffmpeg: setup.ffmpeg,
          settings: setup.recording,
          regions: setup.regions,
          onState: (on, reason) => send({ kind: 'recording', on, reason }),
          onClip: (clip) => send({ kind: 'clip', clip }),
          onProblem: (code, message) => this.#problem(code, message),
        })
      : undefined;
    this.#trunk = new Trunk({
      setup,
      pictures: this.#pictures,
      recorder: this.#recorder,
      send,
      live: this.#live,
      observer: this.#observer,
      onProblem: (code, message) => this.#problem(code, message),
    });
  }

  async handle(message: ToCamera): Promise<void> {
    const { branches } = this.#trunk;
    switch (message.kind) {
      case 'open':
        for (const secondary of message.secondaries) void this.#trunk.cascade.set(secondary);
        for (const model of message.branchModels) branches?.setModel(model.node, model);
        await branches?.prepare(branches.graph);
        // It may have been told to stop meanwhile.
        if (this.#stopped) return;
        branches?.use(branches.graph);
        void this.#useModel(message.model);
        this.#picture = this.#pictureFor({ leaveOut: !this.#trunk.tracks && !branches });
        this.#numbers = new FrameNumbers(this.#picture?.everyNth ?? 1);
        this.#counting = setInterval(() => this.#sendCounters(), COUNTERS_EVERY_MS);
        this.#open();
        return;
      case 'model':
        await this.#changeTo(this.#pictureFor({ model: message.model }), () => this.#useModel(message.model));
        this.#send({ kind: 'taken', request: message.request });
        return;
      case 'secondary':
        await this.#changeSecondary(message.node, message.secondary);
        this.#send({ kind: 'taken', request: message.request });
        return;
      case 'branchModel':
        branches?.setModel(message.node, message.model);
        this.#send({ kind: 'taken', request: message.request });
        return;
      case 'graph':
        return this.#changeGraph(message.graph);
      case 'picture': {
        const { crop, maxFps } = message;
        await this.#changeTo(this.#pictureFor({ crop, maxFps }), () => {
          this.#crop = crop;
          this.#maxFps = maxFps;
        });
        return;
      }
      case 'record':
        this.#recorder?.record(message.on, message.reason);
        return;
      case 'recordingSettings':
        this.#recorder?.setSettings(message.settings);
        return;
      case 'regions':
        this.#observer.setRegions(message.regions);
        this.#recorder?.setRegions(message.regions);
        return;
      case 'health':
        this.#observer.setHealth(message.health);
        return;
      case 'why':
        this.#send({ kind: 'why', request: message.request, answer: this.#observer.why(message.query) });
        return;
      case 'analytics':
        this.#trunk.useAnalytics(message.analytics);
        return;
      case 'tracker':
        return this.#changeTracker(message.tracker);
      case 'watch':
      case 'unwatch':
        this.#live.watch(message.kind === 'watch');
        return;
      case 'stop':
        this.#stopped = true;
        clearInterval(this.#counting);
        await this.#source?.stop();
        void this.#flow.use(undefined);
        await this.#trunk.stop();
        await this.#recorder?.stop();
        return;
    }
  }

  async #changeSecondary(node: string, secondary: CameraSecondary | undefined): Promise<void> {
    if (!secondary) return this.#trunk.cascade.remove(node);
    // The first one needs the full picture; it goes on being made when the last one leaves.
    const picture = this.#picture && { ...this.#picture, full: true };
    await this.#changeTo(picture, () => this.#trunk.cascade.set(secondary));
  }

  async #changeTracker(tracker: CameraSetup['tracker']): Promise<void> {
    // A tracker says where objects are on the frames between, so they all have to come.
    const picture = tracker && this.#picture?.everyNth !== undefined ? this.#pictureFor() : this.#picture;
    await this.#changeTo(picture, () => this.#trunk.useTracker(tracker));
  }

  async #changeGraph(graph: CameraGraph): Promise<void> {
    await this.#trunk.branches?.prepare(graph);
    if (this.#stopped) return;
    const full = this.#needsFull || looksAtPixels(graph);
    await this.#changeTo(this.#pictureFor({ full }), () => this.#trunk.useGraph(graph));
  }

  /** Takes something over at the frame where the pictures are those that it needs. Resolves when what was before is idle. */
  async #changeTo(picture: PictureRequest | undefined, takeOver: () => void | Promise<void>): Promise<void> {
    const source = this.#source;
    let idle: void | Promise<void> = undefined;
    if (!source || !picture || samePicture(this.#picture, picture)) {
      idle = takeOver();
      if (!this.#source) this.#picture = picture;
      return idle;
    }
    const atFrameBoundary = (): void => {
      this.#numbers.everyFrameFromHere();
      this.#picture = picture;
      idle = takeOver();
    };
    try {
      // At the end of a file that is looped there is nothing to take over from: the next round has something.
      await source.changePicture(picture, atFrameBoundary).catch(() => source.changePicture(picture, atFrameBoundary));
    } catch (error) {
      const why = `other pictures need the camera ${this.#setup.sensor} to be opened again: ${messageOf(error)}`;
      this.#problem('CAMERA_REOPENED', why);
      await source.stop();
      atFrameBoundary();
      this.#open();
    }
    return idle;
  }

  #useModel(model: CameraModel | undefined): Promise<void> {
    this.#model = model;
    this.#trunk.useModel(model);
    return this.#flow.use(model ? new InferenceClient(model.port) : undefined);
  }

  /** What ffmpeg has to deliver, with what is going to change. */
  #pictureFor(
    change: {
      readonly model?: CameraModel | undefined;
      readonly crop?: CameraSetup['crop'];
      readonly maxFps?: number | undefined;
      readonly full?: boolean;
      readonly leaveOut?: boolean;
    } = {},
  ): PictureRequest | undefined {
    const { model, ...wishes } = {
      model: this.#model,
      crop: this.#crop,
      maxFps: this.#maxFps,
      full: this.#needsFull,
      ...change,
    };
    return pictureFor(model, wishes);
  }

  get #needsFull(): boolean {
    const { cascade, branches } = this.#trunk;
    if (!cascade.isEmpty) return true;
    // They go on being made when the last node has left that looks at them.
    return branches !== undefined && (branches.needsPixels() || this.#picture?.full === true);
  }

  #open(): void {
    const { url, ffmpeg, pace, loop, sensor, dewarp, hardware } = this.#setup;
    const picture = this.#picture;
    this.#source = new VideoSource(
      {
        url,
        ffmpeg,
        picture,
        ...(dewarp ? { dewarp } : {}),
        ...(hardware ? { hardware } : {}),
        // A graph may ask for other pictures at any time: without packets the camera would have to be opened again.
        encoded: this.#recorder !== undefined || this.#trunk.branches !== undefined || picture === undefined,
        pace,
        loop,
        // A file that is read once and cannot be read is a mistake; a camera may come back any time.
        reconnect: pace === 'asFastAsPossible' && !loop ? false : {},
        logger: threadLogger(this.#send, { sensor }),
      },
      {
        onStream: (stream) => {
          this.#stream = stream;
          this.#trunk.useStream(stream);
          this.#observer.useStream(stream);
          const { sourceWidth: width, sourceHeight: height, codec, fps, decoder } = stream;
          this.#send({ kind: 'stream', width, height, codec, fps, decoder });
        },
        takeBuffer: (bytes) => this.#flow.takeBuffer(bytes),
        takeFullBuffer: (bytes) => this.#pictures.take(bytes),
        onPicture: (taken) => this.#onPicture(taken),
        onHeader: (bytes) => {
          this.#live.onHeader(bytes);
          this.#recorder?.onHeader(bytes);
        },
        onPacket: (packet) => this.#onPacket(packet),
        onClockJump: () => this.#observer.clockJumped(),
        onState: (state) => {
          if (state.state === 'reconnecting') this.#onGap();
          // The last frames are still with the model: their insights come before the news that nothing more will.
          if (state.state === 'ended') void this.#drain().then(() => this.#ended(state));
          else this.#send({ kind: 'state', state });
        },
      },
    );
    this.#source.start();
  }

  async #drain(): Promise<void> {
    await this.#flow.drain();
    await this.#trunk.branches?.drain();
  }

  async #ended(state: Extract<FromCamera, { kind: 'state' }>['state']): Promise<void> {
    await this.#recorder?.sourceEnded();
    this.#sendCounters();
    this.#send({ kind: 'state', state });
  }

  /** The camera comes back to another scene: what was tracked and recorded ends here. */
  #onGap(): void {
    this.#counters.reconnects += 1;
    this.#trunk.reset();
    void this.#recorder?.sourceEnded();
  }

  #onPicture({ sequence, full, ...taken }: Picture): void | Promise<void> {
    this.#counters.frames += 1;
    this.#clock = taken;
    const view = viewOf(this.#stream ?? UNKNOWN, this.#crop);
    const frameId = this.#numbers.of(sequence);
    const wantsPeaks = this.#observer.captured(
      taken.buffer.byteLength > 0 ? taken : { ...taken, ...full },
      this.#isLookedAt(frameId),
    );
    const picture: FlowPicture = {
      ...{ ...taken, frameId, view },
      ...(wantsPeaks ? { peaks: true } : {}),
      ...(full ? { full: this.#sharedPicture(full, view) } : {}),
    };
    const held = this.#trunk.onCaptured(picture);
    return both(held, this.#toModel(picture));
  }

  /** Takes the picture over. */
  #toModel(picture: FlowPicture): void | Promise<void> {
    const { full, ...small } = picture;
    const isLookedAt = this.#isLookedAt(picture.frameId);
    if (!full || this.#trunk.needsFull(isLookedAt)) {
      return isLookedAt ? this.#flow.push(picture) : this.#flow.skip(picture);
    }
    full.release();
    return isLookedAt ? this.#flow.push(small) : this.#flow.skip(small);
  }

  #isLookedAt(frameId: number): boolean {
    return frameId % ((this.#model?.interval ?? 0) + 1) === 0;
  }

  #sharedPicture({ buffer, width, height }: NonNullable<Picture['full']>, view: View): SharedPicture {
    // It came from `takeFullBuffer`.
    return this.#pictures.fromPlanes(buffer as SharedArrayBuffer, width, height, view);
  }

  #onPacket({ ptsUs, key, bytes }: EncodedPacket): void {
    const frameId = this.#counters.packets++;
    this.#clock ??= { ptsUs, captureTimeMs: Date.now() };
    const captureTimeMs = this.#clock.captureTimeMs + Math.round((ptsUs - this.#clock.ptsUs) / 1000);
    this.#recorder?.onPacket({ ptsUs, key, bytes }, captureTimeMs);
    this.#live.onPacket({ ptsUs, key, bytes }, captureTimeMs);
    if (this.#model || (this.#trunk.branches && this.#picture) || !this.#stream) return;
    this.#trunk.onUnseen({ frameId, ptsUs, captureTimeMs });
  }

  #problem(code: string, message: string): void {
    this.#send({ kind: 'problem', code, message });
  }

  #sendCounters(): void {
    this.#send({ kind: 'counters', counters: this.#counters.read(this.#flow, this.#trunk) });
  }
}
