import type { RegionOfInterest } from '@vantage/contracts';
import { nodesOf, type SkillGraph, type SourceNode } from '@vantage/skill';
import type { LiveEntry, LiveHub } from '../live-hub.ts';

/** Whether what is seen is painted into the pictures of a pipeline (`osd`). */
export function isPainted(graph: SkillGraph): boolean {
  return nodesOf(graph, 'recorder').some(({ overlay }) => overlay);
}

/** Whether a pipeline has cameras to be shown side by side. */
export function isMosaic(graph: SkillGraph): boolean {
  return nodesOf(graph, 'source').length > 1;
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
