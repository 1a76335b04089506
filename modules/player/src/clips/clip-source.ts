import type { Readable } from 'node:stream';
import type { ApiClipSource } from '../api.ts';
import type { FileKind } from './clip-name.ts';

/** A file of a clip at one place. */
export interface SourceFile {
  readonly name: string;
  readonly kind: FileKind;
  readonly bytes: number;
  /** Of the place: a path, or the name of a blob. */
  readonly at: string;
  /** Changes with what is in it. */
  readonly version: string;
  /** What only tags know. */
  readonly sensor?: string;
  readonly startedAtMs?: number;
}

/** A place that has clips. */
export interface ClipSource {
  readonly where: 'device' | 'storage';
  readonly state: ApiClipSource;
  /** All that is there now; what was wrong is in `state`, and then what was known stays. */
  list(signal: AbortSignal): Promise<readonly SourceFile[] | undefined>;
  /** Bytes `start` to `end`, both included. */
  open(file: SourceFile, start: number, end: number, signal: AbortSignal): Promise<Readable>;
}
