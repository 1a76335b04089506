import type { RegionOfInterest } from '@vantage/contracts';
import { nodesOf, type SkillGraph, type SourceNode } from '@vantage/skill';
import type { LiveEntry, LiveHub } from '../live-hub.ts';
import { MOSAIC_HEIGHT, MOSAIC_WIDTH, tilesOf } from './mosaic-picture.ts';

/** Whether what is seen is painted into the pictures of a pipeline (`osd`). */
export function isPainted(graph: SkillGraph): boolean {
  return nodesOf(graph, 'recorder').some(({ overlay }) => overlay);
}

/** Whether a pipeline has cameras to be shown side by side. */
export function isMosaic(graph: SkillGraph): boolean {
  return nodesOf(graph, 'source').length > 1;
}

/** Cameras of a pipeline in the order of their tiles. */
export function tiledSensors(graph: SkillGraph): string[] {
  return [...new Set(nodesOf(graph, 'source').map(({ sensor }) => sensor))];
}

/** Where a camera is in the mosaic of its pipeline: left, top, width, height, as fractions of it. */
export function placeInMosaic(
  graph: SkillGraph,
  sensor: string,
): readonly [number, number, number, number] | undefined {
  const sensors = tiledSensors(graph);
  const tile = tilesOf(sensors.length)[sensors.indexOf(sensor)];
  if (!isMosaic(graph) || !tile) return undefined;
  const [across, down] = [MOSAIC_WIDTH, MOSAIC_HEIGHT];
  return [tile.left / across, tile.top / down, tile.width / across, tile.height / down];
}

/** The regions of a camera as they are when asked: the same list until they change. */
export function regionsOf(hub: LiveHub, { graph, source }: LiveEntry): () => readonly RegionOfInterest[] {
  let known: { readonly of: SourceNode['regions']; readonly regions: readonly RegionOfInterest[] } | undefined;
  return () => {
    const now = hub.find(graph.id, source.sensor)?.source.regions ?? [];
    if (known?.of !== now) known = { of: now, regions: now.map((region) => paintedRegion(region, source.sensor)) };
    return known.regions;
  };
}

function paintedRegion({ label, color, coordinates }: SourceNode['regions'][number], sensor: string): RegionOfInterest {
  return { label, color, sensor, coordinates: coordinates.map(([x, y]): [number, number] => [x, y]) };
}
