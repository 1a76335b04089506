import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** What can be said about a file without ffmpeg: its own words for these cases help nobody. */
export function whyNotAVideo(path: string): string | undefined {
  if (path.startsWith('/dev/')) return undefined;
  if (!existsSync(path)) return `there is no file ${path}`;
  const stats = statSync(path);
  if (stats.isDirectory()) return `${path} is a folder`;
  if (stats.isFile() && stats.size === 0) return `${path} is empty`;
  if (!stats.isFile()) return undefined;
  const head = Buffer.alloc(256);
  let length: number;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return `${path} cannot be read`;
  }
  const text = head.toString('latin1', 0, length).trimStart();
  if (text.startsWith('version https://git-lfs'))
    return `${path} is a Git LFS pointer, not a video: run "git lfs pull"`;
  if (/^<(!doctype html|html|head|\?xml)/i.test(text)) return `${path} is a web page, not a video`;
  return undefined;
}
