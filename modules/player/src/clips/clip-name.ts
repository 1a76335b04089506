/** What the name of a clip says: `<pipeline>-YYYY-MM-DD-HH:MM:SS[_<sensor>]`, times in UTC. */
export interface ClipName {
  readonly pipeline: string;
  readonly startedAtMs: number;
  /** Absent when the pipeline has one camera only. */
  readonly sensor?: string;
}

const NAME = /^(.+)-(\d{4}-\d{2}-\d{2})-(\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:_(.+))?$/;

export function parseClipName(name: string): ClipName | undefined {
  const [, pipeline, date, time, sensor] = NAME.exec(name) ?? [];
  const startedAtMs = Date.parse(`${date ?? ''}T${time ?? ''}Z`);
  if (pipeline === undefined || Number.isNaN(startedAtMs)) return undefined;
  return { pipeline, startedAtMs, ...(sensor === undefined ? {} : { sensor }) };
}

export const FILE_KINDS = { video: '.mp4', overlay: '.overlay.mp4', json: '.json' } as const;
export type FileKind = keyof typeof FILE_KINDS;

/** `People-….overlay.mp4` is the overlay of `People-…`. Hidden files are not whole yet. */
export function splitFileName(file: string): { readonly name: string; readonly kind: FileKind } | undefined {
  if (file.startsWith('.')) return undefined;
  for (const kind of ['overlay', 'video', 'json'] as const) {
    const ending = FILE_KINDS[kind];
    if (file.endsWith(ending)) return { name: file.slice(0, -ending.length), kind };
  }
  return undefined;
}
