/** Folder that both ends see; `off` for none. */
export const SHARED_MEMORY_VARIABLE = 'VANTAGE_SHARED_MEMORY';

const DEFAULT_FOLDER = '/dev/shm';

export interface SharedMemoryOptions {
  /** A tmpfs that both ends see; default: `VANTAGE_SHARED_MEMORY`, else /dev/shm. */
  readonly folder?: string;
}

/** Where the files are, and who may open them: in a folder of its own it is that folder that says who gets in. */
export function sharedFolders({ folder }: SharedMemoryOptions): { folders: readonly string[]; mode: number } {
  const named = folder ?? process.env[SHARED_MEMORY_VARIABLE];
  if (named === 'off') return { folders: [], mode: 0o600 };
  return named === undefined || named === '' || named === DEFAULT_FOLDER
    ? { folders: [DEFAULT_FOLDER], mode: 0o600 }
    : { folders: [named], mode: 0o660 };
}
