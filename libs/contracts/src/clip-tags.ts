/** A sensor's name as it stands in the tag `Sensor` of a clip's blobs (C.6): storage takes these characters only. */
export function sensorTag(sensor: string): string {
  return sensor.replace(/[^A-Za-z0-9 +\-./:=_]/g, '_').slice(0, 256);
}
