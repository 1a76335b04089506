import { packageEmpty, packageIsHtml, packageNotZip, packageTruncated } from './errors.ts';

export type Kind =
  'zip' | 'empty-zip' | 'html' | 'lfs-pointer' | 'json' | 'gzip' | '7z' | 'rar' | 'tar' | 'nothing' | 'other';

/** What a file is, from its first 512 bytes. */
export function sniff(head: Uint8Array): Kind {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length === 0) return 'nothing';
  const starts = (...values: number[]): boolean => values.every((value, at) => bytes[at] === value);
  if (starts(0x50, 0x4b, 3, 4)) return 'zip';
  if (starts(0x50, 0x4b, 5, 6)) return 'empty-zip';
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x37, 0x7a, 0xbc, 0xaf)) return '7z';
  if (starts(0x52, 0x61, 0x72, 0x21)) return 'rar';
  if (bytes.length >= 262 && bytes.toString('latin1', 257, 262) === 'ustar') return 'tar';
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text.startsWith('version https://git-lfs')) return 'lfs-pointer';
  if (/^<(!doctype|html|head|body|\?xml|!--|script)/i.test(text)) return 'html';
  if (/^[[{]\s*["}\]{[]/.test(text)) return 'json';
  return 'other';
}

const NOT_ZIP: Readonly<Partial<Record<Kind, string>>> = {
  'lfs-pointer': 'a Git LFS pointer: the file itself was not fetched (git lfs pull)',
  json: 'a JSON text, perhaps an error of the server',
  gzip: 'a gzip file; pack the folder as .zip',
  '7z': 'a 7z archive; pack the folder as .zip',
  rar: 'a RAR archive; pack the folder as .zip',
  tar: 'a tar archive; pack the folder as .zip',
};

/** Throws unless the first bytes are those of a zip with something in it. */
export function demandZip(head: Uint8Array, shown: string): void {
  const kind = sniff(head);
  if (kind === 'zip') return;
  if (kind === 'empty-zip') throw packageEmpty(`${shown} is a zip without any file in it`);
  if (kind === 'nothing') throw packageTruncated(`${shown} is empty (0 bytes)`);
  if (kind === 'html') {
    throw packageIsHtml(
      `${shown} gave a web page instead of a zip; use the address of the file itself, one that needs no sign-in`,
    );
  }
  throw packageNotZip(`${shown} is no zip but ${NOT_ZIP[kind] ?? 'something else'}`);
}
