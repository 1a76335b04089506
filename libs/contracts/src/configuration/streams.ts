import { isObject } from '../json.ts';
import { streamSchema } from '../twins/controller-twin.ts';
import { unknownPipeline, type ReadPipelines } from './pipelines.ts';
import { pathOf, withoutNulls, type Report } from './report.ts';
import type { ReadSensors } from './sensors.ts';
import type { Stream } from './types.ts';
import { quote, suggestion } from './wording.ts';

const MAX_STREAMS = 256;
const LEFT_OUT = 'The stream is left out.';

export interface ReadStream {
  readonly stream: Stream;
  readonly accepted: unknown;
}

/** `components.deepStream.streams`: each must connect a sensor and a pipeline that exist. One per sensor: the last counts (B.1). */
export function readStreams(
  value: unknown,
  path: string,
  sensors: ReadSensors,
  pipelines: ReadPipelines,
  report: Report,
): readonly ReadStream[] {
  const streams = new Map<string, ReadStream & { readonly index: number }>();
  (report.items(value, path, MAX_STREAMS) ?? []).forEach((item, index) => {
    const stream = readStream(item, pathOf(path, index), sensors, pipelines, report);
    if (stream === undefined) return;
    const earlier = streams.get(stream.name);
    if (earlier !== undefined) {
      const remedy = 'For several models on one camera, declare several sensors with the same endpoint';
      report.warn(
        pathOf(path, earlier.index, 'name'),
        `${quote(stream.name)} is also the name of streams[${index}]; the last one counts. ${remedy}.`,
      );
    }
    streams.set(stream.name, { stream, accepted: item, index });
  });
  return [...streams.values()];
}

function readStream(
  value: unknown,
  path: string,
  sensors: ReadSensors,
  pipelines: ReadPipelines,
  report: Report,
): Stream | undefined {
  if (!isObject(value)) {
    report.error(path, `expected an object with name and configId. ${LEFT_OUT}`);
    return undefined;
  }
  report.unknownKeys(value, Object.keys(streamSchema.shape), path);
  const head = report.parse(streamSchema, withoutNulls(value), path, LEFT_OUT);
  if (head === undefined) return undefined;
  const sensor = sensors.sensors.get(head.name)?.sensor;
  const pipeline = pipelines.pipelines.get(head.configId)?.pipeline;
  if (sensor === undefined) {
    const what = sensors.leftOut.has(head.name)
      ? `the sensor ${quote(head.name)} was left out because of the errors reported for it.`
      : `there is no sensor ${quote(head.name)}. ${suggestion(head.name, [...sensors.sensors.keys()])}`;
    report.error(pathOf(path, 'name'), `${what} ${LEFT_OUT}`);
  }
  if (pipeline === undefined)
    report.error(pathOf(path, 'configId'), `${unknownPipeline(head.configId, pipelines)} ${LEFT_OUT}`);
  if (sensor === undefined || pipeline === undefined) return undefined;
  if (sensor.sourceKind === 'none' && pipeline.passthrough === undefined) {
    const what = `the sensor ${quote(sensor.name)} has no endpoint, and its pipeline is not a passthrough.`;
    report.error(pathOf(path, 'name'), `${what} Give the sensor an endpoint. ${LEFT_OUT}`);
    return undefined;
  }
  const username = head.uname ?? '';
  const password = head.password ?? '';
  if (username === '' && password !== '') report.warn(pathOf(path, 'password'), 'is ignored, because uname is empty.');
  return {
    name: head.name,
    sensor,
    configId: head.configId,
    ...(username === '' ? {} : { credentials: { username, password } }),
  };
}
