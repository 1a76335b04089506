import { isObject } from '../json.ts';
import type { RegionOfInterest } from '../messages/inference.ts';
import { playbackSchema, sensorSchema } from '../twins/controller-twin.ts';
import { readRegion } from './regions.ts';
import { pathOf, withoutNulls, type Report } from './report.ts';
import type { Sensor, SourceKind } from './types.ts';
import { quote, suggestion } from './wording.ts';

const LIMITS = { sensors: 256, regionsPerSensor: 64, flatRegions: 4096 } as const;
const LEFT_OUT = 'The sensor is left out.';

const headSchema = sensorSchema.omit({ regionsOfInterest: true, playback: true });

/** A sensor and the part of the twin it came from, with bad regions left out. */
export interface ReadSensor {
  readonly sensor: Sensor;
  readonly accepted: Readonly<Record<string, unknown>>;
}

export interface ReadSensors {
  /** By name, in the order of the twin. */
  readonly sensors: ReadonlyMap<string, ReadSensor>;
  /** Names of sensors that were left out, so that streams can say so. */
  readonly leftOut: ReadonlySet<string>;
}

/** `components.sensors` together with the flat list `components.regionsOfInterest` (J). */
export function readSensors(components: Readonly<Record<string, unknown>>, path: string, report: Report): ReadSensors {
  const at = pathOf(path, 'sensors');
  const sensors = new Map<string, ReadSensor & { readonly index: number }>();
  const leftOut = new Set<string>();
  (report.items(components['sensors'], at, LIMITS.sensors) ?? []).forEach((value, index) => {
    const itemPath = pathOf(at, index);
    const read = readSensor(value, itemPath, report);
    if (read === undefined) {
      if (isObject(value) && typeof value['name'] === 'string') leftOut.add(value['name']);
      return;
    }
    const { name } = read.sensor;
    const earlier = sensors.get(name);
    if (earlier !== undefined) {
      const wins = `${quote(name)} is also the name of sensors[${index}]; the last one counts. Give each sensor its own name.`;
      report.warn(pathOf(at, earlier.index, 'name'), wins);
    }
    sensors.set(name, { ...read, index });
  });
  for (const name of sensors.keys()) leftOut.delete(name);
  return { sensors: assignFlatRegions(components['regionsOfInterest'], sensors, path, report), leftOut };
}

function readSensor(value: unknown, path: string, report: Report): ReadSensor | undefined {
  if (!isObject(value)) {
    report.error(path, `expected an object with name, kind and endpoint. ${LEFT_OUT}`);
    return undefined;
  }
  report.unknownKeys(value, Object.keys(sensorSchema.shape), path);
  const head = report.parse(headSchema, withoutNulls(value), path, LEFT_OUT);
  if (head === undefined || !checkName(head.name, pathOf(path, 'name'), report, LEFT_OUT)) return undefined;

  const endpoint = head.endpoint?.trim() ?? '';
  const subtype = head.kind?.subtype ?? '';
  const source = sourceOf(endpoint, subtype);
  if ('problem' in source) {
    const remedy = 'Use rtsp://host/path, file:///path or /dev/videoN';
    report.error(pathOf(path, 'endpoint'), `${source.problem}. ${remedy}. ${LEFT_OUT}`);
    return undefined;
  }
  const playback = isObject(value['playback'])
    ? report.parse(playbackSchema, value['playback'], pathOf(path, 'playback'), 'Defaults are used.')
    : undefined;

  const regions = keepGood(value['regionsOfInterest'], pathOf(path, 'regionsOfInterest'), report, (item, itemPath) =>
    readRegion(item, itemPath, head.name, report),
  );
  const accepted = { ...value, ...(regions.kept === undefined ? {} : { regionsOfInterest: regions.kept }) };
  if (value['regionsOfInterest'] !== undefined && regions.kept === undefined)
    delete (accepted as Record<string, unknown>)['regionsOfInterest'];
  return {
    accepted,
    sensor: {
      name: head.name,
      type: head.kind?.type ?? 'vision',
      subtype,
      sourceKind: source.kind,
      endpoint,
      regionsOfInterest: regions.read,
      playback: { loop: playback?.loop ?? false, paced: playback?.paced ?? true },
    },
  };
}

/** The good items of a list, read and as they were. `kept` is undefined when there is no list. */
function keepGood(
  value: unknown,
  path: string,
  report: Report,
  read: (item: unknown, path: string) => RegionOfInterest | undefined,
): { readonly read: readonly RegionOfInterest[]; readonly kept: readonly unknown[] | undefined } {
  const items = report.items(value, path, LIMITS.regionsPerSensor);
  const good: RegionOfInterest[] = [];
  const kept: unknown[] = [];
  items?.forEach((item, index) => {
    const region = read(item, pathOf(path, index));
    if (region === undefined) return;
    good.push(region);
    kept.push(item);
  });
  return { read: good, kept: Array.isArray(value) ? kept : undefined };
}

function assignFlatRegions(
  value: unknown,
  sensors: ReadonlyMap<string, ReadSensor>,
  path: string,
  report: Report,
): ReadonlyMap<string, ReadSensor> {
  const at = pathOf(path, 'regionsOfInterest');
  const items = report.items(value, at, LIMITS.flatRegions) ?? [];
  const merged = new Map(sensors);
  items.forEach((item, index) => {
    const itemPath = pathOf(at, index);
    const name = isObject(item) && typeof item['sensor'] === 'string' ? item['sensor'] : undefined;
    const owner = name === undefined ? undefined : merged.get(name);
    if (name === undefined || owner === undefined) {
      const what =
        name === undefined
          ? 'does not say which sensor it belongs to.'
          : `belongs to the unknown sensor ${quote(name)}.`;
      const hint = name === undefined ? 'Add "sensor".' : suggestion(name, [...merged.keys()]);
      report.error(pathOf(itemPath, 'sensor'), `the region ${what} ${hint} The region is left out.`);
      return;
    }
    const region = readRegion(item, itemPath, name, report);
    if (region === undefined) return;
    const before = owner.accepted['regionsOfInterest'];
    merged.set(name, {
      sensor: { ...owner.sensor, regionsOfInterest: [...owner.sensor.regionsOfInterest, region] },
      accepted: {
        ...owner.accepted,
        regionsOfInterest: [...(Array.isArray(before) ? (before as unknown[]) : []), item],
      },
    });
  });
  return merged;
}

/** Bytes: a clip's file name holds a pipeline's and a sensor's, and file systems end at 255. */
const MAX_NAME_BYTES = 90;

/** Names become parts of file names and RTSP mounts. */
export function checkName(name: string, path: string, report: Report, consequence: string): boolean {
  if (/[/\\\u0000-\u001F\u007F]/.test(name) || name.trim() === '' || /^\.+$/.test(name)) {
    report.error(path, `${quote(name)} cannot be a file name. Use letters, digits, - and _. ${consequence}`);
    return false;
  }
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    report.error(path, `${quote(name)} is too long for a file name: ${MAX_NAME_BYTES} bytes at most. ${consequence}`);
    return false;
  }
  if (!/^[A-Za-z0-9_-]+$/.test(name))
    report.warn(path, `${quote(name)}: names of letters, digits, - and _ are safe everywhere.`);
  return true;
}

/** A list, because the decoder behind it also knows dangerous schemes (`concat:`, `data:`). */
const SCHEMES: ReadonlyMap<string, SourceKind> = new Map([
  ['rtsp', 'rtsp'],
  ['rtsps', 'rtsp'],
  ['http', 'http'],
  ['https', 'http'],
  ['file', 'file'],
  ['rtmp', 'other'],
  ['rtmps', 'other'],
  ['udp', 'other'],
  ['srt', 'other'],
]);

/** What an endpoint is, or why it is nothing. The problem never quotes more than a scheme: the rest may be a credential. */
function sourceOf(endpoint: string, subtype: string): { readonly kind: SourceKind } | { readonly problem: string } {
  if (endpoint === '') return { kind: 'none' };
  if (/^\/dev\/video\d+$/.test(endpoint)) return { kind: 'usb' };
  if (subtype.toLowerCase() === 'usb') {
    return endpoint.startsWith('/dev/')
      ? { kind: 'usb' }
      : { problem: 'a sensor of subtype usb needs a device such as /dev/video0' };
  }
  if (/^\/[^/]/.test(endpoint)) return { kind: 'file' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/\S/i.exec(endpoint)?.[1];
  if (scheme === undefined) return { problem: 'the endpoint is not an address' };
  const kind = SCHEMES.get(scheme.toLowerCase());
  return kind === undefined ? { problem: `the endpoint has the unknown scheme ${quote(scheme)}` } : { kind };
}
