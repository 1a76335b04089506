import type { LiveCamera, LiveWatcher } from './live-camera.ts';

/** Somebody who takes what is made of a camera's stream. */
export interface CameraClient {
  /** The camera has left the configuration. */
  onEnd(): void;
}

/** Those who share what is made of a camera's stream: the camera is watched while there are any. */
export class CameraClients<T extends CameraClient> implements Iterable<T> {
  readonly #camera: LiveCamera;
  readonly #clients = new Set<T>();
  readonly #watcher: LiveWatcher;
  readonly #forget: () => void;
  #unwatch: (() => void) | undefined;

  /**
   * @param watcher of the camera, while there are clients
   * @param forget called when the last one has left: what was made is of yesterday when somebody comes
   */
  constructor(camera: LiveCamera, watcher: Omit<LiveWatcher, 'onEnd'>, forget: () => void) {
    this.#camera = camera;
    this.#watcher = { ...watcher, onEnd: () => [...this.#clients].forEach((client) => client.onEnd()) };
    this.#forget = forget;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Those who are there now; who leaves meanwhile is among them. */
  [Symbol.iterator](): Iterator<T> {
    return [...this.#clients].values();
  }

  /** @param catchUp gives a client that is not the first what was made before it came. @returns lets it go; idempotent */
  add(client: T, catchUp: () => void): () => void {
    this.#clients.add(client);
    if (this.#unwatch) catchUp();
    else this.#unwatch = this.#camera.watch(this.#watcher);
    return () => {
      if (!this.#clients.delete(client) || this.#clients.size > 0) return;
      this.#unwatch?.();
      this.#unwatch = undefined;
      this.#forget();
    };
  }
}
