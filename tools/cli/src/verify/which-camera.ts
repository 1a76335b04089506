import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, isObject } from '@vantage/contracts';
import type { TaggedClip } from './clips.ts';

/**
 * The camera that a clip stands for: as its tag says, as the JSON beside it or its name (`..._<sensor>.mp4`) tells, or the
 * only one that there is.
 *
 * @throws VantageError VERIFY_CAMERA_UNKNOWN
 */
export async function cameraOf(
  clip: TaggedClip,
  sensors: readonly string[],
  byOption: string | undefined,
): Promise<string> {
  const wanted = clip.sensor ?? byOption;
  if (wanted !== undefined) {
    if (sensors.includes(wanted)) return wanted;
    throw unknown(`${clip.name}: no pipeline runs the camera ${wanted}`, sensors);
  }
  const told = [await sensorInJson(clip.file), sensorInName(clip.file, sensors)];
  const known = told.find((one) => one !== undefined && sensors.includes(one));
  if (known !== undefined) return known;
  const [only, ...others] = sensors;
  if (only !== undefined && others.length === 0) return only;
  throw unknown(
    `${clip.name}: which camera does it stand for? Say so by --sensor, or "sensor" in verify.json`,
    sensors,
  );
}

async function sensorInJson(file: string): Promise<string | undefined> {
  const { dir, name } = path.parse(file);
  const text = await readFile(path.join(dir, `${name}.json`), 'utf8').catch(() => '');
  // The first entry says it; the rest of a long clip's JSON need not be read.
  return /"sourceInfo"\s*:\s*\{\s*"id"\s*:\s*"([^"]+)"/.exec(text.slice(0, 65_536))?.[1] ?? sensorInDocument(text);
}

function sensorInDocument(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text === '' ? 'null' : text);
    const [first] = isObject(value) && Array.isArray(value['inferences']) ? (value['inferences'] as unknown[]) : [];
    const info = isObject(first) ? first['sourceInfo'] : undefined;
    return isObject(info) && typeof info['id'] === 'string' ? info['id'] : undefined;
  } catch {
    return undefined;
  }
}

function sensorInName(file: string, sensors: readonly string[]): string | undefined {
  const { name } = path.parse(file);
  return [...sensors].sort((a, b) => b.length - a.length).find((sensor) => name.endsWith(`_${sensor}`));
}

function unknown(message: string, sensors: readonly string[]): VantageError {
  return new VantageError('VERIFY_CAMERA_UNKNOWN', `${message}; cameras: ${sensors.join(', ') || 'none'}`);
}
