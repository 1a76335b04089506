import { stat } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@vantage/contracts';
import { PictureEncoder, findVideoEncoder, type Ffmpeg } from '@vantage/media';
import type { FrameInsights, SnippetNode } from '@vantage/skill';
import { Canvas, paintObjects, snippetTitle, type Rgb } from '@vantage/vision';
import type { CameraFrame, GraphStage, SharedPicture } from '../graph/stage.ts';
import type { ClipReport } from '../protocol.ts';
import { snippetPath } from './snippet-path.ts';

export interface SnippetStageOptions {
  readonly node: SnippetNode;
  readonly sensor: string;
  /** Snippets land below it (see `snippetPath`); unfinished ones lie in it under a hidden name. */
  readonly folder: string;
  readonly ffmpeg: Ffmpeg;
  readonly onClip: (clip: ClipReport) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/** Contract custom-node-and-skills B: BGR 0, 0, 255. */
const RED: Rgb = [255, 0, 0];

/** Pictures that may wait for an ffmpeg that is starting, as many as fit into this. */
const WAITING_BYTES = 64 << 20;
const MAX_WAITING = 16;

interface Recording {
  readonly encoder: PictureEncoder;
  readonly startUs: number;
  readonly width: number;
  readonly height: number;
  /** Pictures that are painted on and handed to ffmpeg: few, however long the snippet. */
  readonly free: Uint8Array[];
  made: number;
  /** Those that ffmpeg has not taken yet, in order. */
  readonly writing: Promise<void>[];
  objects: number;
}

/**
 * `video_snippet_export`: records what arrives for some seconds when a frame has an object, and again no sooner than some
 * minutes after the start before. Goes by the frames' own time. Frames are encoded as they come; nothing piles up in
 * memory. A snippet that fails is told, and the next one is made in its turn.
 */
export class SnippetStage implements GraphStage {
  readonly #options: SnippetStageOptions;
  #state: 'waiting' | 'recording' | 'exporting' = 'waiting';
  #recording: Recording | undefined;
  #lastStartUs: number | undefined;
  #exporting: Promise<void> = Promise.resolve();
  #asked: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: SnippetStageOptions) {
    this.#options = options;
  }

  get state(): 'waiting' | 'recording' | 'exporting' {
    return this.#state;
  }

  /** Waits while too many pictures wait for ffmpeg: who is faster waits in the edge's queue. */
  async process(frame: CameraFrame): Promise<CameraFrame> {
    const { insights, picture } = frame;
    if (!picture) return frame;
    // Asked before the first snippet, which would begin with a gap otherwise; whether there is one, its start tells.
    this.#asked ??= findVideoEncoder(this.#options.ffmpeg).catch(() => undefined);
    const open = this.#recording;
    if (open && !fits(open, picture, insights, this.#options.node.durationSeconds)) this.#finish();
    if (!this.#recording && this.#isDue(insights)) {
      // Only who reads a file faster than it was made comes here so soon.
      await this.#exporting;
      await this.#open(insights, picture);
    }
    if (this.#recording) await this.#write(this.#recording, insights, picture);
    return frame;
  }

  /** The camera comes back to another scene: what is recorded ends here. */
  reset(): void {
    this.#finish();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#finish();
    await this.#exporting;
  }

  #isDue({ ptsUs, detections }: FrameInsights): boolean {
    if (detections.length === 0) return false;
    const last = this.#lastStartUs;
    // A camera that was opened again may start its clock anew.
    return last === undefined || ptsUs < last || ptsUs - last >= this.#options.node.everyMinutes * 60e6;
  }

  async #open({ ptsUs, captureTimeMs }: FrameInsights, { width, height }: SharedPicture): Promise<void> {
    const { node, sensor, folder, ffmpeg } = this.#options;
    this.#lastStartUs = ptsUs;
    const names = { ...node, device: deviceOf(node) || sensor };
    try {
      const encoder = await PictureEncoder.open({
        ffmpeg,
        path: path.join(folder, snippetPath(names, captureTimeMs)),
        temporaryFolder: folder,
        ...{ format: 'gbrp', width, height, maxWaiting: MAX_WAITING },
      });
      if (this.#stopped) return await encoder.abort();
      this.#recording = { encoder, startUs: ptsUs, width, height, free: [], made: 0, writing: [], objects: 0 };
      this.#state = 'recording';
    } catch (error) {
      this.#failed(error);
    }
  }

  async #write(recording: Recording, insights: FrameInsights, picture: SharedPicture): Promise<void> {
    const { encoder, free, writing } = recording;
    const bytes = 3 * picture.width * picture.height;
    const limit = Math.max(2, Math.min(MAX_WAITING, Math.floor(WAITING_BYTES / bytes)));
    while (free.length === 0 && recording.made >= limit) await writing[0];
    if (this.#recording !== recording) return;
    if (encoder.failure !== undefined) return this.#finish();
    let data = free.pop();
    if (!data) {
      data = new Uint8Array(bytes);
      recording.made += 1;
    }
    data.set(picture.planes());
    if (this.#options.node.overlay) paint(data, insights, picture);
    recording.objects += insights.detections.length;
    const used = data;
    const written = encoder.write({ ptsUs: insights.ptsUs, data: used }).then(() => {
      free.push(used);
      void writing.shift();
    });
    writing.push(written);
  }

  #finish(): void {
    const recording = this.#recording;
    if (!recording) return;
    this.#recording = undefined;
    this.#state = 'exporting';
    this.#exporting = this.#export(recording)
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#state = 'waiting'));
  }

  async #export({ encoder, writing, objects }: Recording): Promise<void> {
    await Promise.all(writing);
    const { path: file, frames, firstPtsUs, lastPtsUs } = await encoder.close();
    const { size: sizeBytes } = await stat(file);
    const seconds = Math.round((lastPtsUs - firstPtsUs) / 1e4) / 100;
    this.#options.onClip({ path: file, sensor: this.#options.sensor, frames, seconds, sizeBytes, objects });
  }

  #failed(error: unknown): void {
    const { node, sensor, onProblem } = this.#options;
    const next = `the next one in ${node.everyMinutes} min`;
    onProblem('SNIPPET_FAILED', `${node.id}: a snippet of ${sensor} was lost, ${next}: ${messageOf(error)}`);
  }
}

function fits(
  { startUs, width, height }: Recording,
  picture: SharedPicture,
  { ptsUs }: FrameInsights,
  seconds: number,
): boolean {
  // A custom node may make pictures of another size: a clip has one.
  return ptsUs >= startUs && ptsUs - startUs <= seconds * 1e6 && picture.width === width && picture.height === height;
}

/** Boxes are in pixels of the camera's frame, and the picture may show a part of it at another size. */
function paint(data: Uint8Array, { detections }: FrameInsights, { width, height, view }: SharedPicture): void {
  const [across, down] = [width / view.width, height / view.height];
  const objects = detections.map(({ box, classId, label, confidence, trackingId, attributes }) => ({
    ...{ classId, label, confidence, trackingId, attributes },
    box: {
      left: (box.left - view.left) * across,
      top: (box.top - view.top) * down,
      width: box.width * across,
      height: box.height * down,
    },
  }));
  paintObjects(new Canvas({ data, width, height, format: 'gbrp' }), objects, { colour: RED, title: snippetTitle });
}

/** Empty where the camera's name stands for it. */
function deviceOf({ device }: { readonly device?: string }): string {
  return device ?? '';
}
