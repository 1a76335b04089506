import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

interface Openers<T> {
  /** Opens a model that is optimised already. */
  readonly load: (file: string) => Promise<T>;
  /** Opens and optimises the model itself, and writes what comes out where a file is given. */
  readonly make: (file?: string) => Promise<T>;
}

/** Beyond these the oldest go. */
const MOST_FILES = 32;

/**
 * Keeps models as ONNX Runtime optimised them: they load in a third of the time. What is optimised for one processor
 * may not run on another, so the processor is part of the name, as are the file's content and the runtime's version. A
 * file is written beside and renamed: nobody meets half of one. One that does not load is made anew, and a folder that
 * cannot be written costs time only.
 */
export async function withOptimisedModel<T>(
  model: string | Uint8Array,
  folder: string,
  version: string,
  { load, make }: Openers<T>,
): Promise<T> {
  const file = path.join(folder, `${await keyOf(model, version)}.onnx`);
  if (await exists(file)) {
    try {
      return await load(file);
    } catch {
      await rm(file, { force: true });
    }
  }
  const draft = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}.part`;
  let opened: T;
  try {
    await mkdir(folder, { recursive: true });
    opened = await make(draft);
  } catch {
    // Whether the model or the folder is to blame shows without the folder.
    await rm(draft, { force: true }).catch(() => undefined);
    return make();
  }
  await rename(draft, file).catch(() => rm(draft, { force: true }).catch(() => undefined));
  await forgetOldest(folder).catch(() => undefined);
  return opened;
}

async function forgetOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.onnx'));
  if (names.length <= MOST_FILES) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, writtenMs: (await stat(path.join(folder, name))).mtimeMs })),
  );
  files.sort((a, b) => b.writtenMs - a.writtenMs);
  await Promise.all(files.slice(MOST_FILES).map(({ name }) => rm(path.join(folder, name), { force: true })));
}

async function keyOf(model: string | Uint8Array, version: string): Promise<string> {
  const hash = createHash('sha256').update(`${version} ${os.arch()} ${os.cpus()[0]?.model ?? ''}\n`);
  if (typeof model !== 'string') return hash.update(model).digest('hex');
  for await (const chunk of createReadStream(model)) hash.update(chunk as Buffer);
  // Weights may lie in files of their own beside the model.
  const stem = path.basename(model);
  const beside = (await readdir(path.dirname(model))).filter(
    (name) => name !== stem && /\.(data|bin|weights?)$/i.test(name),
  );
  for (const name of beside.sort()) {
    const { size, mtimeMs } = await stat(path.join(path.dirname(model), name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile() && found.size > 0,
    () => false,
  );
}
