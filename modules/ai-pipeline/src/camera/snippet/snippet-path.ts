import path from 'node:path';

/** Milliseconds of 1 January 2100 in Beijing: names count down to it, so that lists by name begin with the newest. */
const END_OF_TIME_MS = 4_102_416_000_000;
const MAX_SEGMENT_CHARACTERS = 60;

export interface SnippetNames {
  readonly instance: string;
  readonly skill: string;
  readonly device: string;
  readonly prefix: string;
}

/**
 * Where a snippet lies in the recordings folder and, later, in the container of blobs (contract custom-node-and-skills B):
 * `video-snippet/<instance>/<skill>/<device>/<prefix>-<ID>-<ISO>.mp4`. No name leads out of its folder.
 *
 * @param startMs time of its first frame, milliseconds since the Unix epoch
 */
export function snippetPath({ instance, skill, device, prefix }: SnippetNames, startMs: number): string {
  const time = Number.isFinite(startMs) ? Math.min(Math.max(0, Math.round(startMs)), END_OF_TIME_MS) : 0;
  // As Python's `isoformat` writes a time without zone.
  const iso = `${new Date(time).toISOString().slice(0, -1)}000`;
  const name = `${segment(prefix, 'snippet')}-${END_OF_TIME_MS - time}-${iso}.mp4`;
  return path.posix.join(
    'video-snippet',
    segment(instance, 'instance'),
    segment(skill, 'skill'),
    segment(device, 'device'),
    name,
  );
}

/** One name of a path: no separators, no control characters, not hidden, not `..`; spaces are fine. */
function segment(text: string, fallback: string): string {
  const plain = text

    .replace(/[\u0000-\u001f\u007f/\\]/g, '_')
    .trim()
    .replace(/^\.+|\.+$/g, '_');
  const short = [...plain].slice(0, MAX_SEGMENT_CHARACTERS).join('');
  return short === '' ? fallback : short;
}
