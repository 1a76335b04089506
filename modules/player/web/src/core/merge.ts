import { twinEquals } from '@vantage/contracts';
import type { Region } from './shapes.ts';

/** What two people did to the same list of regions, region by region. */
export interface Difference {
  /** The region's name, with a number where several have the same. */
  readonly key: string;
  readonly base: Region | undefined;
  readonly mine: Region | undefined;
  readonly theirs: Region | undefined;
  /** Both changed it, and not alike: somebody has to choose. */
  readonly clash: boolean;
}

export type Side = 'mine' | 'theirs';

/** Regions that are not the same in all three lists. A region is known by its name. */
export function compareRegions(
  base: readonly Region[],
  mine: readonly Region[],
  theirs: readonly Region[],
): Difference[] {
  const lists = { base: keyed(base), mine: keyed(mine), theirs: keyed(theirs) };
  const keys = new Set([...lists.mine.keys(), ...lists.theirs.keys(), ...lists.base.keys()]);
  return [...keys].flatMap((key) => {
    const [was, ours, others] = [lists.base.get(key), lists.mine.get(key), lists.theirs.get(key)];
    const [mineChanged, theirsChanged] = [!same(was, ours), !same(was, others)];
    if (!mineChanged && !theirsChanged) return [];
    return [{ key, base: was, mine: ours, theirs: others, clash: mineChanged && theirsChanged && !same(ours, others) }];
  });
}

/** Their list with what I changed in it; of clashes the chosen side, mine where nothing was chosen. */
export function mergeRegions(
  base: readonly Region[],
  mine: readonly Region[],
  theirs: readonly Region[],
  choices: Readonly<Record<string, Side>> = {},
): Region[] {
  const differences = new Map(compareRegions(base, mine, theirs).map((one) => [one.key, one]));
  const lists = { mine: keyed(mine), theirs: keyed(theirs) };
  const keys = new Set([...lists.theirs.keys(), ...lists.mine.keys()]);
  return [...keys].flatMap((key) => {
    const difference = differences.get(key);
    const region = !difference ? lists.theirs.get(key) : difference[sideOf(difference, choices)];
    return region ? [region] : [];
  });
}

/** Whose version of a difference counts. */
export function sideOf(difference: Difference, choices: Readonly<Record<string, Side>>): Side {
  if (difference.clash) return choices[difference.key] ?? 'mine';
  return same(difference.base, difference.mine) ? 'theirs' : 'mine';
}

/** What somebody did to a region, in one word or two. */
export function changeOf(before: Region | undefined, after: Region | undefined): string {
  if (!before) return after ? 'added' : 'not there';
  if (!after) return 'removed';
  if (same(before, after)) return 'unchanged';
  const moved = !twinEquals(before.coordinates, after.coordinates);
  const recolored = before.color !== after.color;
  return [moved ? 'moved' : '', recolored ? 'recoloured' : ''].filter((word) => word !== '').join(', ') || 'changed';
}

function keyed(regions: readonly Region[]): Map<string, Region> {
  const map = new Map<string, Region>();
  for (const region of regions) {
    let key = region.label;
    for (let number = 2; map.has(key); number += 1) key = `${region.label} (${number})`;
    map.set(key, region);
  }
  return map;
}

function same(a: Region | undefined, b: Region | undefined): boolean {
  if (!a || !b) return a === b;
  return a.label === b.label && a.color === b.color && twinEquals(a.coordinates, b.coordinates);
}
