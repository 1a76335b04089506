import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { pack, type Pack } from 'tar-stream';
import { VantageError } from '@vantage/contracts';
import { findImage } from './engine.ts';

export const LOCAL_BASE = 'vantage/local-base:latest';

export interface LocalBaseOptions {
  readonly tag: string;
  /** The Node that the images get; default: the one that runs this. */
  readonly node?: string;
  /** The ffmpeg that the images get; none when undefined. */
  readonly ffmpeg?: string;
  /** More files, by their absolute path in the image. */
  readonly files?: Readonly<Record<string, Buffer>>;
  /** What a container of it runs. */
  readonly command?: readonly string[];
}

/** What a shell script of a Dockerfile, and somebody who looks into a container, cannot do without. */
const TOOLS = 'sh cat ls mkdir chown chmod cp mv rm ln id env sleep test touch head tail grep'.split(' ');
const FOLDERS = 'etc etc/ssl etc/ssl/certs usr usr/bin usr/local usr/local/bin bin root proc sys dev var var/lib'.split(
  ' ',
);
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n';
const GROUP = 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Parts of glibc that no program here names: host names are looked up through some, native add-ons want the others. */
const GLIBC = ['nss_dns.so.2', 'nss_files.so.2', 'resolv.so.2', 'rt.so.1', 'dl.so.2', 'pthread.so.0', 'util.so.1'];

const run = promisify(execFile);

/** Says what an image was made of. */
const CONTENT_LABEL = 'vantage.local-base.content';

/** A file of the image: its bytes, or where they are on this machine. */
type Entry = { readonly name: string; readonly mode: number } & (
  { readonly bytes: Buffer } | { readonly file: string; readonly size: number; readonly mtimeMs: number }
);

/**
 * Makes a base image out of this machine's own Node, ffmpeg, shell and the libraries that they need: no registry, no
 * package server, a few seconds. One that was made of the same files is left as it is, so that what was built on it need
 * not be built again. For trying images here; a device gets images on a base that somebody maintains.
 * @returns the size of the image in bytes
 * @throws VantageError EDGE_BASE_IMAGE_UNSUPPORTED on anything but Linux
 */
export async function makeLocalBase(docker: Docker, options: LocalBaseOptions): Promise<number> {
  if (process.platform !== 'linux') {
    throw new VantageError(
      'EDGE_BASE_IMAGE_UNSUPPORTED',
      'a local base can only be made on Linux: use --base with an image that has Node',
    );
  }
  const programs = new Map([['/usr/local/bin/node', options.node ?? process.execPath]]);
  if (options.ffmpeg !== undefined) programs.set('/usr/bin/ffmpeg', options.ffmpeg);
  for (const tool of TOOLS) {
    const file = await which(tool);
    if (file !== undefined) programs.set(`/bin/${tool}`, file);
  }
  const entries = await listEntries(programs, options.files ?? {});
  const settings = [
    ...(options.command === undefined ? [] : [`CMD ${JSON.stringify(options.command)}`]),
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
  ];
  const content = digest(entries, settings);
  const present = await findImage(docker, options.tag);
  if (present?.Config.Labels?.[CONTENT_LABEL] === content) return present.Size;
  const archive = pack();
  const imported = docker.importImage(archive, {
    fromSrc: '-',
    repo: options.tag.replace(/:[^:/]*$/, ''),
    tag: /:([^:/]*)$/.exec(options.tag)?.[1] ?? 'latest',
    changes: [...settings, `LABEL ${CONTENT_LABEL}=${content}`],
  });
  await Promise.all([fill(archive, entries), imported.then(drained)]);
  return (await docker.getImage(options.tag).inspect()).Size;
}

async function listEntries(
  programs: ReadonlyMap<string, string>,
  files: Readonly<Record<string, Buffer>>,
): Promise<Entry[]> {
  const entries: Entry[] = Object.entries(files).map(([name, bytes]) => ({ name, mode: 0o644, bytes }));
  entries.push({ name: '/etc/passwd', mode: 0o644, bytes: Buffer.from(PASSWD) });
  entries.push({ name: '/etc/group', mode: 0o644, bytes: Buffer.from(GROUP) });
  entries.push({ name: '/etc/nsswitch.conf', mode: 0o644, bytes: Buffer.from('hosts: files dns\n') });
  const libraries = new Set<string>();
  for (const [name, file] of programs) {
    for (const library of await librariesOf(file)) libraries.add(library);
    entries.push(...(await entryOf(name, file, 0o755)));
  }
  const libc = [...libraries].find((library) => path.basename(library) === 'libc.so.6');
  if (libc !== undefined) for (const name of GLIBC) libraries.add(path.join(path.dirname(libc), `lib${name}`));
  for (const library of libraries) entries.push(...(await entryOf(library, library, 0o755)));
  entries.push(...(await entryOf(CERTIFICATES, CERTIFICATES, 0o644)));
  return entries;
}

/** None for a file that this machine does not have. */
async function entryOf(name: string, place: string, mode: number): Promise<Entry[]> {
  try {
    const file = await realpath(place);
    const { size, mtimeMs } = await stat(file);
    return [{ name, mode, file, size, mtimeMs }];
  } catch {
    return [];
  }
}

function digest(entries: readonly Entry[], settings: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const entry of entries) {
    const { name, mode } = entry;
    const content = 'bytes' in entry ? entry.bytes.toString('base64') : `${entry.file} ${entry.size} ${entry.mtimeMs}`;
    hash.update(JSON.stringify([name, mode, content]));
  }
  return hash.digest('hex');
}

async function fill(archive: Pack, entries: readonly Entry[]): Promise<void> {
  for (const name of FOLDERS) archive.entry({ name, type: 'directory', mode: 0o755 });
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  archive.entry({ name: 'home/node', type: 'directory', mode: 0o755, uid: 1000, gid: 1000 });
  for (const entry of entries) {
    const header = { name: entry.name.replace(/^\//, ''), mode: entry.mode };
    if ('bytes' in entry) archive.entry(header, entry.bytes);
    else {
      const { file, size } = entry;
      await new Promise<void>((resolve, reject) => {
        const sink = archive.entry({ ...header, size }, (error) => {
          if (error) reject(error);
          else resolve();
        });
        createReadStream(file).on('error', reject).pipe(sink);
      });
    }
  }
  archive.finalize();
}

/** The dynamic libraries of a program, by the paths that the loader looks for. */
async function librariesOf(file: string): Promise<string[]> {
  const { stdout } = await run('ldd', [file]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').flatMap((line) => {
    const found = /=> (\/\S+)/.exec(line)?.[1] ?? /^\s*(\/\S+)/.exec(line)?.[1];
    return found === undefined ? [] : [found];
  });
}

async function which(tool: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(':')) {
    const file = path.join(folder, tool);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

async function drained(stream: NodeJS.ReadableStream): Promise<void> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  const problem = /"error":"([^"]*)"/.exec(text)?.[1];
  if (problem !== undefined)
    throw new VantageError('EDGE_BASE_IMAGE_FAILED', `the base image cannot be made: ${problem}`);
}
