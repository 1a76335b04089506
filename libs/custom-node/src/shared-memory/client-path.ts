import type { Metadata } from '@grpc/grpc-js';
import { messageOf } from '@vantage/contracts';
import type { ClientPixelPath, SentPixels } from '../pixel-path.ts';
import type { Payload } from '../wire/message.ts';
import { ClientRing } from './client-ring.ts';
import { MAX_SLOTS } from './ring.ts';
import { ACCEPT_KEY, GONE, HANDLE_KEY, OFFER_KEY } from './words.ts';

/** A 4K picture. Only what pictures really fill takes memory. */
const SLOT_BYTES = 3840 * 2160 * 3;

/** Pixels through shared memory, for the connections of one client, one after the other. */
export class SharedMemoryClientPath implements ClientPixelPath {
  readonly #inFlight: number;
  readonly #folder: string | undefined;
  #ring: ClientRing | undefined;
  #problem: string | undefined;

  /**
   * @param inFlight calls under way at most
   * @param folder a tmpfs that both ends see; default: that of the environment
   */
  constructor(inFlight: number, folder?: string) {
    this.#inFlight = inFlight;
    this.#folder = folder;
  }

  get problem(): string | undefined {
    return this.#ring?.problem ?? this.#problem;
  }

  offer(metadata: Metadata): void {
    this.close();
    // One more than calls: the slot of a call without an answer rests until the server is done with it.
    const geometry = {
      slots: Math.min(this.#inFlight + 1, MAX_SLOTS),
      requestBytes: SLOT_BYTES,
      responseBytes: SLOT_BYTES,
    };
    try {
      this.#ring = ClientRing.create(geometry, this.#folder);
      this.#problem = undefined;
      metadata.set(OFFER_KEY, this.#ring.offer);
    } catch (error) {
      this.#problem = messageOf(error);
    }
  }

  accept(metadata: Metadata): boolean {
    const ring = this.#ring;
    if (ring === undefined) return false;
    if (ring.accept(textOf(metadata, ACCEPT_KEY))) return true;
    this.#problem = ring.problem;
    this.#ring = undefined;
    return false;
  }

  send(payload: Payload, metadata: Metadata): SentPixels | undefined {
    const slot = this.#ring?.take(payload.length);
    if (slot === undefined) return undefined;
    if (payload instanceof Uint8Array) slot.pixels.set(payload);
    else payload.writeInto(slot.pixels);
    metadata.set(HANDLE_KEY, slot.handle);
    return {
      pixels: slot.pixels,
      receive(answer) {
        const handle = textOf(answer, HANDLE_KEY);
        if (handle === undefined) throw new Error('the server did not take the pixels from the shared memory');
        return slot.answer(handle);
      },
      end: (answered) => (answered ? slot.release() : slot.abandon()),
    };
  }

  close(): void {
    this.#ring?.close();
    this.#ring = undefined;
  }
}

/** Whether a call failed because the server does not have the memory (any more). */
export function isGone(metadata: Metadata): boolean {
  return textOf(metadata, HANDLE_KEY) === GONE;
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}
