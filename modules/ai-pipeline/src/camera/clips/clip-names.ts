import path from 'node:path';

/** Names of a clip: `<base>.mp4` and `<base>.json`, and hidden ones beside while it is in the making. */
export const clipFile = (base: string): string => `${base}.mp4`;
export const documentFile = (base: string): string => `${base}.json`;

/** Where what is seen is noted while the clip is open, a JSON document a line. */
export function journalFile(base: string): string {
  return path.join(path.dirname(base), `.${path.basename(base)}.json.part`);
}

/** The base of a clip that is (or was) open, from the name of its hidden file; undefined for other files. */
export function openClipBase(file: string): string | undefined {
  const match = /^\.(.+)\.mp4\.part$/.exec(path.basename(file));
  return match?.[1] === undefined ? undefined : path.join(path.dirname(file), match[1]);
}
