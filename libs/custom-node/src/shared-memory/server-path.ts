import { Metadata } from '@grpc/grpc-js';
import { messageOf } from '@vantage/contracts';
import { PixelsGone, type ReceivedPixels, type ServerPixelPath } from '../pixel-path.ts';
import { ServerRings, type ServerSlot } from './server-rings.ts';
import { ACCEPT_KEY, GONE, HANDLE_KEY, OFFER_KEY } from './words.ts';

/** Pixels through shared memory, for all clients of one server. */
export class SharedMemoryServerPath implements ServerPixelPath {
  readonly #rings: ServerRings;

  /** @param folder a tmpfs that both ends see; default: that of the environment */
  constructor(folder?: string) {
    this.#rings = new ServerRings(folder);
  }

  accept(request: Metadata, response: Metadata): void {
    const [offer] = request.get(OFFER_KEY);
    const acceptance = typeof offer === 'string' ? this.#rings.accept(offer) : undefined;
    if (acceptance !== undefined) response.set(ACCEPT_KEY, acceptance);
  }

  resolve(request: Metadata): ReceivedPixels | undefined {
    const [handle] = request.get(HANDLE_KEY);
    if (typeof handle !== 'string') return undefined;
    let slot: ServerSlot;
    try {
      slot = this.#rings.open(handle);
    } catch (error) {
      const metadata = new Metadata();
      metadata.set(HANDLE_KEY, GONE);
      throw new PixelsGone(messageOf(error), metadata);
    }
    return {
      pixels: slot.pixels,
      put: (pixels) => slot.put(pixels),
      end: (response) => response.set(HANDLE_KEY, slot.done()),
    };
  }

  close(): void {
    this.#rings.close();
  }
}
