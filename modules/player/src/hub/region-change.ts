import { isTwinObject, type ConfigIssue, type TwinObject } from '@vantage/contracts';
import { requestInvalid, sensorUnknown } from '../errors.ts';

const MAX_REGIONS = 64;

/**
 * Desired properties of the controllermodule with other regions for one sensor. What the flat list
 * `components.regionsOfInterest` had for it is replaced, too.
 *
 * @throws VantageError SENSOR_UNKNOWN, REQUEST_INVALID
 */
export function withRegions(desired: TwinObject, sensor: string, regions: unknown): TwinObject {
  if (!Array.isArray(regions) || !regions.every(isTwinObject))
    throw requestInvalid('a list of regions expected', 'regions');
  if (regions.length > MAX_REGIONS) throw requestInvalid(`at most ${MAX_REGIONS} regions a camera`, 'regions');
  const { configuration, components, sensors, at } = find(desired, sensor);
  const flat = components['regionsOfInterest'];
  return {
    ...desired,
    azdaConfiguration: {
      ...configuration,
      components: {
        ...components,
        ...(Array.isArray(flat) ? { regionsOfInterest: flat.filter((region) => !belongsTo(region, sensor)) } : {}),
        sensors: sensors.map((one, index) =>
          index === at ? { ...(one as TwinObject), regionsOfInterest: regions } : one,
        ),
      },
    },
  };
}

/** Those of the issues that are about this sensor's regions, with paths that start at `regions`. */
export function regionIssues(desired: TwinObject, sensor: string, issues: readonly ConfigIssue[]): ConfigIssue[] {
  const prefix = `components.sensors[${find(desired, sensor).at}].regionsOfInterest`;
  return issues
    .filter(({ path }) => path.startsWith(prefix))
    .map((issue) => ({ ...issue, path: `regions${issue.path.slice(prefix.length)}` }));
}

function find(
  desired: TwinObject,
  sensor: string,
): { configuration: TwinObject; components: TwinObject; sensors: readonly unknown[]; at: number } {
  const configuration = desired['azdaConfiguration'];
  const components = isTwinObject(configuration) ? configuration['components'] : undefined;
  const sensors = isTwinObject(components) ? components['sensors'] : undefined;
  // Of two with the same name the last counts.
  const at = Array.isArray(sensors) ? sensors.findLastIndex((one) => isTwinObject(one) && one['name'] === sensor) : -1;
  if (!isTwinObject(configuration) || !isTwinObject(components) || !Array.isArray(sensors) || at < 0) {
    throw sensorUnknown(sensor);
  }
  return { configuration, components, sensors: sensors as unknown[], at };
}

function belongsTo(region: unknown, sensor: string): boolean {
  return isTwinObject(region) && region['sensor'] === sensor;
}
