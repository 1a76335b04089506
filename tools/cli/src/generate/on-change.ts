import { once } from 'node:events';
import { watch } from 'node:fs';
import path from 'node:path';
import { untilSignal } from '../until-signal.ts';

/** Editors write a file in several steps. */
const SETTLE_MS = 100;

/**
 * Runs `action` when one of the files, or a `module.json` below `modules`, has changed, one run after the other. Resolves
 * when the program is told to end.
 */
export async function onChange(
  files: readonly string[],
  modules: string,
  action: () => Promise<unknown>,
): Promise<void> {
  let running = Promise.resolve();
  let settling: NodeJS.Timeout | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      running = running.then(async () => void (await action()));
    }, SETTLE_MS);
  };
  const names = new Set(files.map((file) => path.resolve(file)));
  // Folders, not files: an editor that writes a new file and renames it would be lost.
  const watchers = [...new Set([...names].map((file) => path.dirname(file)))].map((folder) =>
    watch(folder, (_event, name) => {
      if (name !== null && names.has(path.join(folder, name))) changed();
    }),
  );
  try {
    watchers.push(
      watch(modules, { recursive: true }, (_event, name) => {
        if (name !== null && path.basename(name) === 'module.json') changed();
      }),
    );
  } catch {
    // A template without a folder of modules names images itself.
  }
  // A folder that goes away is watched no longer; the next change elsewhere says what is missing.
  for (const watcher of watchers) watcher.on('error', () => undefined);
  const end = untilSignal();
  process.stderr.write('watching; Ctrl-C ends it\n');
  await once(end.signal, 'abort');
  end.release();
  clearTimeout(settling);
  for (const watcher of watchers) watcher.close();
  await running;
}
