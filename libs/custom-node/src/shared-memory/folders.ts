/** Folder that both ends see; `off` for none. */
const VARIABLE = 'VANTAGE_SHARED_MEMORY';
const DEFAULT_FOLDER = '/dev/shm';

/**
 * Where the files are, and who may open them: in a folder of its own it is that folder that says who gets in.
 *
 * @param folder default: `VANTAGE_SHARED_MEMORY`, else /dev/shm
 * @returns undefined where it is switched off
 */
export function sharedFolder(
  folder: string = process.env[VARIABLE] ?? '',
): { readonly folder: string; readonly mode: number } | undefined {
  if (folder === 'off') return undefined;
  const isCommon = folder === '' || folder === DEFAULT_FOLDER;
  return isCommon ? { folder: DEFAULT_FOLDER, mode: 0o600 } : { folder, mode: 0o660 };
}
