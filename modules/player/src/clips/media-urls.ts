import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mediaExpired, mediaUnsigned } from '../errors.ts';

/** An address is good for 10 to 15 minutes: the same one for five minutes, so that a browser's cache finds it. */
const STEP_MS = 5 * 60_000;
const GOOD_STEPS = 3;

export type MediaKind = 'video' | 'overlay' | 'json' | 'thumb';
const KINDS: Readonly<Record<string, MediaKind>> = { v: 'video', o: 'overlay', j: 'json', t: 'thumb' };
const LETTERS: Readonly<Record<MediaKind, string>> = { video: 'v', overlay: 'o', json: 'j', thumb: 't' };

/** Addresses of media that say by themselves for what and how long they are good; no other can be made up. */
export class MediaUrls {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  url(name: string, kind: MediaKind): string {
    const untilStep = Math.floor(this.#now() / STEP_MS) + GOOD_STEPS;
    const text = Buffer.from(`${LETTERS[kind]}${untilStep.toString(36)}.${name}`).toString('base64url');
    return `/media/${text}.${this.#sign(text).toString('base64url')}`;
  }

  /** @throws VantageError MEDIA_UNSIGNED, MEDIA_EXPIRED */
  read(signed: string): { readonly name: string; readonly kind: MediaKind } {
    const [text = '', signature = ''] = signed.split('.');
    const given = Buffer.from(signature, 'base64url');
    const right = this.#sign(text);
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw mediaUnsigned();
    const [, letter = '', step = '', name = ''] =
      /^(.)(\w+)\.(.*)$/s.exec(Buffer.from(text, 'base64url').toString()) ?? [];
    const kind = KINDS[letter];
    if (kind === undefined) throw mediaUnsigned();
    if (parseInt(step, 36) * STEP_MS <= this.#now()) throw mediaExpired();
    return { name, kind };
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
