/** Why a name in a zip cannot be written below a folder, or its clean form with `/` between parts. */
export type EntryName =
  { readonly ok: true; readonly name: string; readonly folder: boolean } | { readonly ok: false; readonly why: string };

/**
 * Cleans the name of a zip entry. Backslashes are separators (some Windows tools write them, against APPNOTE 4.4.17.1),
 * so `..\..\x` is caught as well as `../../x`.
 */
export function cleanEntryName(raw: string): EntryName {
  const name = raw.replaceAll('\\', '/');
  if (name === '') return { ok: false, why: 'it has no name' };
  if (/[\u0000-\u001f\u007f]/.test(name)) return { ok: false, why: 'its name holds control characters' };
  if (name.startsWith('/')) return { ok: false, why: 'its path is absolute' };
  if (/^[a-z]:/i.test(name)) return { ok: false, why: 'its path names a drive' };
  const folder = name.endsWith('/');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return { ok: false, why: 'its path leads upwards ("..")' };
  if (parts.some((part) => Buffer.byteLength(part) > 255))
    return { ok: false, why: 'a part of its path is over 255 bytes' };
  if (name.length > 2048) return { ok: false, why: 'its path is over 2048 characters' };
  return { ok: true, name: parts.join('/').normalize('NFC'), folder };
}

/** Leftovers of file managers, which are no content: `__MACOSX`, `.DS_Store`, `._x`, `Thumbs.db`, `desktop.ini`. */
export function isLeftover(name: string): boolean {
  const parts = name.split('/');
  const last = parts.at(-1) ?? '';
  return parts[0] === '__MACOSX' || last.startsWith('._') || /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i.test(last);
}

/** The single folder that everything lies in, or undefined when files lie in the root or there are several folders. */
export function commonTopFolder(names: readonly string[]): string | undefined {
  const first = names[0]?.split('/') ?? [];
  const top = first[0];
  if (top === undefined || first.length < 2) return undefined;
  return names.every((name) => name.startsWith(`${top}/`)) ? top : undefined;
}
