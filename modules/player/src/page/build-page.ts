import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@vantage/contracts';
import { pageBuildFailed } from '../errors.ts';

const MAX_OUTPUT = 4000;
const DIGEST = '.sources.sha256';
const NOT_SOURCES: ReadonlySet<string> = new Set(['dist', 'node_modules']);

/**
 * Builds the page where it was not built from the sources that are there: `web/` into `web/dist`. In an image there
 * are no sources, and what was built with it is served.
 *
 * @returns folder of the built page; undefined where there is none to build
 * @throws VantageError PLAYER_PAGE_FAILED
 */
export async function buildPage(
  web: string,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  const dist = path.join(web, 'dist');
  const files = await sourcesOf(web);
  if (!files.some((file) => path.basename(file) === 'index.html')) {
    return (await readFile(path.join(dist, 'index.html')).catch(() => undefined)) ? dist : undefined;
  }
  const digest = await digestOf(files, web);
  if ((await readFile(path.join(dist, DIGEST), 'utf8').catch(() => '')) === digest) return dist;
  tell('building the page of the Player, once');
  const startedMs = performance.now();
  // Of its own name first: another Player may be building, or serving what is there.
  const part = path.join(web, `dist.${randomUUID()}.part`);
  try {
    await runVite(web, part, signal);
    await writeFile(path.join(part, DIGEST), digest);
    await putInPlace(part, dist, digest);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  tell(`the page is built, in ${Math.round((performance.now() - startedMs) / 100) / 10} s`);
  return dist;
}

/** Where another Player has built the same meanwhile, and perhaps serves it already, that stays. */
async function putInPlace(part: string, dist: string, digest: string): Promise<void> {
  for (let attempts = 3; ; attempts -= 1) {
    if ((await readFile(path.join(dist, DIGEST), 'utf8').catch(() => '')) === digest) return;
    await rm(dist, { recursive: true, force: true });
    try {
      return await rename(part, dist);
    } catch (error) {
      if (attempts === 0 || !['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
    }
  }
}

/** In a process of its own: the bundler would stay in the server's memory. */
async function runVite(web: string, outDir: string, signal: AbortSignal): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', path.join(import.meta.dirname, 'build-main.ts'), web, outDir],
    { stdio: ['ignore', 'ignore', 'pipe'], signal },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-MAX_OUTPUT)));
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0)
    throw pageBuildFailed(`the page could not be built: ${output.trim() || `status ${status ?? 'none'}`}`);
}

async function sourcesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry): Promise<string[]> => {
      if (NOT_SOURCES.has(entry.name) || entry.name.startsWith('dist.') || /\.spec\.tsx?$/.test(entry.name)) return [];
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? sourcesOf(file) : [file];
    }),
  );
  return found.flat().sort();
}

async function digestOf(files: readonly string[], web: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${path.relative(web, file)}\0`).update(await readFile(file));
  return hash.digest('hex');
}
