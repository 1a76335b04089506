import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { codeOf, isObject, parseJson, sensorTag } from '@vantage/contracts';

/** What the blobs of a clip are named and marked after (contract C.6 with J). */
export interface ClipFacts {
  readonly sensor: string;
  readonly skill: string;
  readonly label: string;
  /** UTC, ISO 8601 with Z: of the first frame. */
  readonly date: string;
  readonly event: string;
  readonly eventValue: string;
  readonly region: string;
  /** What was missing, as the original says it in the blob's metadata. */
  readonly missing?: string;
}

/** What stands where nothing is known (C.6). */
const PLACEHOLDERS = { sensor: 'SensorName', skill: 'SkillName', label: 'LabelName' } as const;
const DEFAULTS = { event: 'Change', eventValue: '2', region: 'label1' } as const;
/** A JSON with an entry for each frame of an hour has about 50 MB. */
const MAX_JSON_BYTES = 256 << 20;
/** Storage takes 8 KiB of metadata in all. */
const MAX_METADATA_CHARS = 1200;

/**
 * The facts of a clip from its JSON.
 *
 * @param sensor of whom, where one JSON tells of several cameras' clips
 * @param timeMs stands for the first frame where the JSON is missing or has none
 */
export function factsOf(document: unknown, timeMs: number, sensor?: string): ClipFacts {
  const { inferences, events, regionsOfInterest } = isObject(document) ? document : {};
  const entries = objectsIn(inferences).filter((entry) => sensor === undefined || sourceOf(entry)['id'] === sensor);
  const first = entries[0];
  const event = objectsIn(events)[0];
  const region = objectsIn(regionsOfInterest)[0];
  const source = first === undefined ? {} : sourceOf(first);
  const label = entries
    .flatMap((entry) => objectsIn(entry['detections']))
    .find(({ label }) => typeof label === 'string');
  const missing = [
    ...(document === undefined ? ['did not find the JSON of this clip'] : []),
    ...(document !== undefined && event === undefined ? ['the JSON of this clip has no events'] : []),
  ].join('; ');
  return {
    sensor: text(source['id']) ?? sensor ?? PLACEHOLDERS.sensor,
    skill: text(first?.['type']) ?? PLACEHOLDERS.skill,
    label: text(label?.['label']) ?? PLACEHOLDERS.label,
    date: utc(source['timestamp'], timeMs),
    event: text(event?.['type']) ?? DEFAULTS.event,
    eventValue: event === undefined ? DEFAULTS.eventValue : JSON.stringify(event),
    region: text(region?.['label']) ?? DEFAULTS.region,
    ...(missing === '' ? {} : { missing }),
  };
}

/** The JSON beside a clip; undefined when there is none, or it is none. */
export async function readClipJson(file: string): Promise<unknown> {
  try {
    if ((await stat(file)).size > MAX_JSON_BYTES) return undefined;
    return parseJson(await readFile(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && !(error instanceof SyntaxError) && codeOf(error) !== 'JSON_INVALID') throw error;
    return undefined;
  }
}

/** What the lines of the journal of a clip that is still being recorded tell so far, as a clip's JSON. */
export async function readOpenClipJson(file: string, maxLines = 500): Promise<unknown> {
  const inferences: unknown[] = [];
  let head: Record<string, unknown> = {};
  try {
    const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
    let count = 0;
    for await (const line of lines) {
      if ((count += 1) > maxLines) break;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        break;
      }
      if (!isObject(value)) continue;
      if (isObject(value['sourceInfo'])) inferences.push(value);
      else if (Array.isArray(value['inferences'])) inferences.push(...(value['inferences'] as unknown[]));
      else head = { ...head, ...value };
    }
    lines.close();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return inferences.length === 0 ? undefined : { ...head, inferences };
}

/** `ResourceGroup/Account/SolutionInstance/<sensor>/<skill>/<label>/<file>`; snippets keep the path they have. */
export function blobNameOf(facts: ClipFacts, relative: string): string {
  if (relative.includes('/')) return relative;
  const folders = [facts.sensor, facts.skill, facts.label].map(pathPart);
  return ['ResourceGroup', 'Account', 'SolutionInstance', ...folders, relative].join('/');
}

/** The two tags that the Player looks for. */
export function tagsOf(facts: ClipFacts): Record<string, string> {
  return { Sensor: sensorTag(facts.sensor), Date: facts.date };
}

export function metadataOf(facts: ClipFacts, deviceId: string): Record<string, string> {
  const account =
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ResourceGroup/providers/Microsoft.AzurePercept/accounts/Account';
  const metadata = {
    event: facts.event,
    eventvalue: facts.eventValue,
    regionofinterest: facts.region,
    sensor: `${account}/devices/${deviceId}/sensors/${facts.sensor}`,
    solutioninstance: `${account}/solutionInstances/SolutionInstance`,
    ...(facts.missing === undefined ? {} : { Error_Message: facts.missing }),
  };
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, ascii(value)]));
}

/** Snippets: `video-snippet/<instance>/<skill>/<device>/<prefix>-<ID>-<time>.mp4`. */
export function snippetFacts(relative: string, timeMs: number): ClipFacts {
  const [, , skill, sensor] = relative.split('/');
  const time = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)/.exec(path.basename(relative))?.[1];
  return {
    ...factsOf(undefined, timeMs),
    sensor: sensor ?? PLACEHOLDERS.sensor,
    skill: skill ?? PLACEHOLDERS.skill,
    date: utc(time, timeMs),
    missing: 'a snippet has no JSON',
  };
}

function objectsIn(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as unknown[]).filter((item) => isObject(item)) : [];
}

function sourceOf(entry: Record<string, unknown>): Record<string, unknown> {
  return isObject(entry['sourceInfo']) ? entry['sourceInfo'] : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined;
}

/** Times without a zone are UTC here, as our recorder and the containers of the original have it. */
function utc(value: unknown, fallbackMs: number): string {
  const given = typeof value === 'string' ? value : '';
  const parsed = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(given) ? given : `${given}Z`);
  return new Date(Number.isNaN(parsed) ? fallbackMs : parsed).toISOString();
}

function pathPart(value: string): string {
  const clean = value.replace(/[/\\\p{Cc}]/gu, '_').replace(/\.+$/, '');
  return clean === '' ? '_' : clean;
}

/** Metadata travels in HTTP headers: other characters are escaped as in JSON. */
function ascii(value: string): string {
  return value
    .slice(0, MAX_METADATA_CHARS)
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .slice(0, MAX_METADATA_CHARS)
    .replace(/\\u[0-9a-f]{0,3}$/, '')
    .trim();
}
