import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf, isObject, messageOf } from '@vantage/contracts';

/** A clip, and what is expected of it. */
export interface TaggedClip {
  /** Absolute. */
  readonly file: string;
  /** As the user knows it. */
  readonly name: string;
  readonly expect: 'fire' | 'quiet';
  /** Only this alert counts: the type of an event, the name of its zone, or `recording`. */
  readonly event?: string;
  /** The camera that it stands for. */
  readonly sensor?: string;
}

const FOLDERS = { 'should-fire': 'fire', 'should-not-fire': 'quiet' } as const;
const VIDEO = /\.(mp4|mkv|mov|avi|ts)$/i;
const MAX_CLIPS = 1000;

/**
 * The clips of a folder: those that its `verify.json` names, else those in `should-fire/` and `should-not-fire/`.
 *
 * @throws VantageError VERIFY_FOLDER_INVALID
 */
export async function clipsIn(folder: string): Promise<readonly TaggedClip[]> {
  const root = path.resolve(folder);
  const clips = (await tagged(root)) ?? (await sorted(root));
  if (clips.length === 0) {
    throw invalid(
      `${folder} holds no clips: put videos into should-fire/ and should-not-fire/, or name them in verify.json`,
    );
  }
  if (clips.length > MAX_CLIPS) throw invalid(`${folder} holds ${clips.length} clips; ${MAX_CLIPS} are the most`);
  return clips;
}

async function tagged(root: string): Promise<readonly TaggedClip[] | undefined> {
  const file = path.join(root, 'verify.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw invalid(`${file}: ${messageOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${file} is no JSON: ${messageOf(error)}`);
  }
  const clips: unknown = isObject(value) ? value['clips'] : undefined;
  if (!Array.isArray(clips)) throw invalid(`${file}: clips is no list of {"file", "expect"}`);
  return Promise.all(clips.map((clip: unknown, at) => readTag(clip, `${file}: clips[${at}]`, root)));
}

async function readTag(clip: unknown, where: string, root: string): Promise<TaggedClip> {
  if (!isObject(clip)) throw invalid(`${where} is no object`);
  const { file, expect, event, sensor, ...others } = clip;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`${where} has a key "${unknown}"; there are file, expect, event and sensor`);
  if (typeof file !== 'string' || file === '') throw invalid(`${where}.file is no name of a file`);
  if (expect !== 'fire' && expect !== 'quiet') throw invalid(`${where}.expect is neither "fire" nor "quiet"`);
  if (event !== undefined && typeof event !== 'string') throw invalid(`${where}.event is no text`);
  if (sensor !== undefined && typeof sensor !== 'string') throw invalid(`${where}.sensor is no text`);
  const at = path.resolve(root, file);
  if (!(await isFile(at))) throw invalid(`${where} names ${file}, which is not there`);
  return {
    ...{ file: at, name: file, expect },
    ...(event === undefined ? {} : { event }),
    ...(sensor === undefined ? {} : { sensor }),
  };
}

async function sorted(root: string): Promise<readonly TaggedClip[]> {
  const all = await Promise.all(
    Object.entries(FOLDERS).map(async ([folder, expect]) => {
      const entries = await readdir(path.join(root, folder)).catch(() => [] as string[]);
      // Clips with overlays show the same once more, with paint on it.
      const videos = entries.filter(
        (name) => VIDEO.test(name) && !/\.overlay\.\w+$/i.test(name) && !name.startsWith('.'),
      );
      return videos.sort().map((name): TaggedClip => ({
        file: path.join(root, folder, name),
        name: `${folder}/${name}`,
        expect,
      }));
    }),
  );
  return all.flat();
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
}

function invalid(message: string): VantageError {
  return new VantageError('VERIFY_FOLDER_INVALID', message);
}
