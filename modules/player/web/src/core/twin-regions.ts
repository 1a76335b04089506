import type { ApiTwin } from '../../../src/api.ts';
import { isRecord } from './locate.ts';
import type { Region } from './shapes.ts';

/** The sensor's regions as they stand in the twin, also those that the modules would refuse: they are drawn and mended here. */
export function regionsIn(twin: ApiTwin, sensor: string): Region[] {
  const root = twin.desired['azdaConfiguration'];
  const components = isRecord(root) && isRecord(root['components']) ? root['components'] : {};
  const sensors = Array.isArray(components['sensors']) ? (components['sensors'] as unknown[]) : [];
  const own = sensors.find((one) => isRecord(one) && one['name'] === sensor);
  const inside =
    isRecord(own) && Array.isArray(own['regionsOfInterest']) ? (own['regionsOfInterest'] as unknown[]) : [];
  const flat = Array.isArray(components['regionsOfInterest']) ? (components['regionsOfInterest'] as unknown[]) : [];
  const all = [...inside, ...flat.filter((one) => isRecord(one) && one['sensor'] === sensor)];
  return all.filter(isRecord).map((one): Region => {
    const { label, color, coordinates } = one;
    const points = Array.isArray(coordinates) ? (coordinates as unknown[]) : [];
    return {
      label: typeof label === 'string' ? label : '',
      color: typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : '#ff0000',
      coordinates: points.map((point) => {
        const [x, y] = Array.isArray(point) ? (point as unknown[]) : [];
        return [Number(x), Number(y)];
      }),
      sensor,
    };
  });
}
