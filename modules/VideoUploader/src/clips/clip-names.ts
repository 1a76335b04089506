/** What a file of the recordings folder is. */
export type FileKind = 'clip' | 'overlay' | 'json' | 'snippet';

/** `<pipeline>-2023-01-05-10:11:12` and what may follow: a number, then the sensor of a pipeline with several. */
const CLIP_NAME = /^(.+-\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d(?:-\d+)?)_(.+)$/;

/** Undefined: no file of ours. Hidden files are being made. */
export function kindOf(relative: string): FileKind | undefined {
  const name = relative.split('/').at(-1) ?? '';
  if (name.startsWith('.')) return undefined;
  if (relative.includes('/')) return /\.(mp4|jpg|png)$/i.test(name) ? 'snippet' : undefined;
  if (/\.overlay\.mp4$/i.test(name)) return 'overlay';
  if (/\.mp4$/i.test(name)) return 'clip';
  return /\.json$/i.test(name) ? 'json' : undefined;
}

/** The name that a clip, its JSON and its overlay share. */
export function baseOf(relative: string): string {
  return relative.replace(/(\.overlay)?\.(mp4|json)$/i, '');
}

/** Where the JSON of a clip may lie: its own, or, from the original's recorder, one for all cameras of a pipeline. */
export function jsonNamesOf(base: string): { readonly name: string; readonly sensor?: string }[] {
  const [, shared, sensor] = CLIP_NAME.exec(base) ?? [];
  const own = { name: `${base}.json` };
  return shared === undefined || sensor === undefined ? [own] : [own, { name: `${shared}.json`, sensor }];
}

export function contentTypeOf(relative: string): string {
  if (/\.json$/i.test(relative)) return 'application/json';
  if (/\.jpg$/i.test(relative)) return 'image/jpeg';
  return /\.png$/i.test(relative) ? 'image/png' : 'video/mp4';
}
