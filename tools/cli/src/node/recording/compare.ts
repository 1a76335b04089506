import type { customNode } from '@vantage/contracts';
import { pictureOf } from '../conformance/answer.ts';
import type { Wants } from '../conformance/check.ts';

export interface Tolerance {
  /** Of confidences and of the sides of boxes, both 0..1. */
  readonly value: number;
  /** Mean difference of two pictures, 0..255. */
  readonly picture: number;
}

const MOST = 5;

/** What differs between two answers, in words; nothing where they say the same. Times are not compared. */
export async function compareAnswers(
  before: customNode.ProcessResponse,
  now: customNode.ProcessResponse,
  wants: Wants,
  tolerance: Tolerance,
): Promise<string[]> {
  const found: string[] = [];
  compareObjects(before.insightsMeta?.objectsMeta ?? [], now.insightsMeta?.objectsMeta ?? [], tolerance.value, found);
  compareEvents(before.insightsMeta?.eventsMeta ?? [], now.insightsMeta?.eventsMeta ?? [], found);
  compareTexts('other_meta', before.insightsMeta?.otherMeta ?? {}, now.insightsMeta?.otherMeta ?? {}, found);
  await comparePictures(before, now, wants, tolerance.picture, found);
  return found.length > MOST ? [...found.slice(0, MOST), `and ${found.length - MOST} more`] : found;
}

function compareObjects(
  before: readonly customNode.ObjectMeta[],
  now: readonly customNode.ObjectMeta[],
  tolerance: number,
  found: string[],
): void {
  if (before.length !== now.length) {
    const labels = (all: readonly customNode.ObjectMeta[]): string =>
      all.map(({ label }) => label).join(', ') || 'none';
    found.push(`${before.length} objects (${labels(before)}) became ${now.length} (${labels(now)})`);
    return;
  }
  before.forEach((one, at) => {
    const other = now[at];
    if (other === undefined) return;
    const where = `objects_meta[${at}]`;
    if (one.label !== other.label) found.push(`${where}.label ${one.label} became ${other.label}`);
    compareNumber(`${where}.confidence`, one.confidence, other.confidence, tolerance, found);
    if ((one.bbox === undefined) !== (other.bbox === undefined))
      found.push(`${where}.bbox is there in one answer only`);
    for (const side of ['l', 't', 'w', 'h'] as const)
      compareNumber(`${where}.bbox.${side}`, one.bbox?.[side] ?? 0, other.bbox?.[side] ?? 0, tolerance, found);
    const [id, nowId] = [one.trackingInfo?.trackingId ?? '', other.trackingInfo?.trackingId ?? ''];
    if (id !== nowId) found.push(`${where}.tracking_id "${id}" became "${nowId}"`);
    const traits = (all: customNode.ObjectMeta): Record<string, string> =>
      Object.fromEntries(all.attributes.map(({ name, label }) => [name, label]));
    compareTexts(`${where}.attributes`, traits(one), traits(other), found);
  });
}

function compareEvents(
  before: readonly customNode.EventMeta[],
  now: readonly customNode.EventMeta[],
  found: string[],
): void {
  const types = (all: readonly customNode.EventMeta[]): string => all.map(({ type }) => type).join(', ') || 'none';
  if (types(before) !== types(now)) found.push(`events ${types(before)} became ${types(now)}`);
}

function compareTexts(
  where: string,
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  found: string[],
): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)]))
    if (before[key] !== now[key]) found.push(`${where}.${key} ${shown(before[key])} became ${shown(now[key])}`);
}

function compareNumber(where: string, before: number, now: number, tolerance: number, found: string[]): void {
  if (!(Math.abs(before - now) <= tolerance) && !Object.is(before, now))
    found.push(`${where} ${before.toFixed(4)} became ${now.toFixed(4)}`);
}

async function comparePictures(
  before: customNode.ProcessResponse,
  now: customNode.ProcessResponse,
  wants: Wants,
  tolerance: number,
  found: string[],
): Promise<void> {
  const [one, other] = [before.image?.imagePointer, now.image?.imagePointer];
  if (!one?.length && !other?.length) return;
  if (!one?.length || !other?.length) {
    found.push(`a picture is in ${one?.length ? 'the recording' : 'the new answer'} only`);
    return;
  }
  if (Buffer.compare(one, other) === 0) return;
  const [first, second] = [await pictureOf(before, wants), await pictureOf(now, wants)];
  if (first.width !== second.width || first.height !== second.height) {
    found.push(`a picture of ${first.width}x${first.height} became one of ${second.width}x${second.height}`);
    return;
  }
  const difference = meanDifference(first.pixels, second.pixels);
  if (difference > tolerance) found.push(`the picture differs by ${difference.toFixed(2)} of 255 on average`);
}

function meanDifference(one: Buffer, other: Buffer): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += Math.abs((one[at] ?? 0) - (other[at] ?? 0));
  return sum / one.length;
}

const shown = (text: string | undefined): string =>
  text === undefined ? 'nothing' : JSON.stringify(text.slice(0, 60));
