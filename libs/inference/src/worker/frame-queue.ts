import type { FrameRequest } from '../frame-port.ts';

export interface QueuedFrame<Camera> {
  readonly camera: Camera;
  readonly frame: FrameRequest;
}

/** Frames of one camera that may wait; cameras bound themselves to less (`InferenceClient.capacity`). */
const MAX_WAITING = 16;

/** Frames that wait for a session: a line for each camera, served in turn, so that none goes before the others. */
export class FrameQueue<Camera> {
  /** In the order in which it is their turn. Lines that are empty are not in it. */
  readonly #lines = new Map<Camera, FrameRequest[]>();

  /** Cameras with a frame that waits. */
  get cameras(): number {
    return this.#lines.size;
  }

  /** @returns false when the camera has too many waiting: the frame was not taken. */
  push(camera: Camera, frame: FrameRequest): boolean {
    const line = this.#lines.get(camera);
    if (line === undefined) this.#lines.set(camera, [frame]);
    else if (line.length < MAX_WAITING) line.push(frame);
    else return false;
    return true;
  }

  /** Whole frames, until there are enough pictures or regions for a batch; at least one if there is any. */
  take(pictures: number): QueuedFrame<Camera>[] {
    const taken: QueuedFrame<Camera>[] = [];
    let count = 0;
    for (let next = this.#lines.entries().next(); !next.done; next = this.#lines.entries().next()) {
      const [camera, line] = next.value;
      const frame = line[0] as FrameRequest;
      // Regions of a frame share batches with each other only: what a frame yields does not hang on its neighbours.
      if (taken.length > 0 && (frame.regions !== undefined || count >= pictures)) break;
      line.shift();
      this.#lines.delete(camera);
      if (line.length > 0) this.#lines.set(camera, line);
      taken.push({ camera, frame });
      if (frame.regions !== undefined) break;
      count += 1;
    }
    return taken;
  }
}
