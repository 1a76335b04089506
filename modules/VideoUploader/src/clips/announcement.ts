import { isObject } from '@vantage/contracts';

/** Of IoT Hub's 256 KiB the properties and headers take some. */
const MAX_BYTES = 240_000;

export interface Announcement {
  readonly body: string;
  /** Set when frames were left out: which of how many entries are there. */
  readonly shortened?: string;
}

/**
 * The message about a clip (contract C.5): its JSON. The original cuts the text off after 200 000 characters, which is
 * mostly no JSON any more. Here a document that is too large keeps its regions, its events and every n-th frame, with n as
 * small as fits; `shortened` says so. Undefined when even one frame is too large, or it is no clip's JSON.
 */
export function announcementOf(document: unknown, maxBytes = MAX_BYTES): Announcement | undefined {
  if (!isObject(document)) return undefined;
  const whole = JSON.stringify(document);
  if (Buffer.byteLength(whole) <= maxBytes) return { body: whole };
  const entries = Array.isArray(document['inferences']) ? (document['inferences'] as unknown[]) : [];
  const frames = framesOf(entries);
  // What an entry takes is alike all over a clip: a good first guess, then ever fewer.
  let every = Math.max(2, Math.ceil(Buffer.byteLength(whole) / maxBytes));
  for (; every <= frames.length * 2; every = Math.ceil(every * 1.25)) {
    const inferences = frames.filter((_, index) => index % every === 0).flat();
    const body = JSON.stringify({ ...document, inferences });
    if (Buffer.byteLength(body) > maxBytes) continue;
    return { body, shortened: `${inferences.length} of ${entries.length} entries, every ${every}th frame` };
  }
  return undefined;
}

/** Entries of the same frame stay together. */
function framesOf(entries: readonly unknown[]): unknown[][] {
  const frames: unknown[][] = [];
  let last: unknown;
  for (const entry of entries) {
    const source = isObject(entry) && isObject(entry['sourceInfo']) ? entry['sourceInfo'] : {};
    const key = `${String(source['id'])} ${String(source['frameId'])}`;
    if (key === last) frames.at(-1)?.push(entry);
    else frames.push([entry]);
    last = key;
  }
  return frames;
}
