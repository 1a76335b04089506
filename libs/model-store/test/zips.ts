import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import yazl from 'yazl';

/** Writes a well-made zip of these files. */
export async function makeZip(file: string, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const zip = new yazl.ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
  return file;
}

export interface RawEntry {
  readonly name: string | Buffer;
  readonly data?: Buffer;
  /** Overrides what the directory says about the entry. */
  readonly claimedBytes?: number;
  readonly crc?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly unixMode?: number;
  /** Share the bytes of the entry before (overlapping bombs). */
  readonly sharesBytes?: boolean;
}

/** A zip written byte by byte (APPNOTE 4.3), for what no honest tool writes. */
export function rawZip(entries: readonly RawEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  let before = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const data = entry.data ?? Buffer.alloc(0);
    const method = entry.method ?? 8;
    const packed = method === 8 ? deflateRawSync(data) : data;
    const crc = entry.crc ?? crc32(data);
    const size = entry.claimedBytes ?? data.length;
    const flags = (entry.flags ?? 0) | 0x800;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc, 14);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE((3 << 8) | 20, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(((entry.unixMode ?? 0o100644) << 16) >>> 0, 38);
    const offset = entry.sharesBytes === true ? before : at;
    central.writeUInt32LE(offset, 42);
    centrals.push(central, name);
    if (entry.sharesBytes === true) continue;
    before = at;
    locals.push(local, name, packed);
    at += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}

export async function writeRawZip(file: string, entries: readonly RawEntry[]): Promise<string> {
  await writeFile(file, rawZip(entries));
  return file;
}

export async function cutFile(from: string, to: string, bytes: number): Promise<string> {
  await writeFile(to, (await readFile(from)).subarray(0, bytes));
  return to;
}
