import { basename } from 'node:path';
import type { ScorePeak, ViewState } from '@vantage/vision';
import { pointInPolygon } from '@vantage/vision';
import type { FrameInsights, FrameObject } from '@vantage/skill';
import type { ClipRegion, ClipReport } from '../camera/protocol.ts';
import type { WhyBest, WhyFrame } from './why-types.ts';

const SLOT_MS = 500;
/** Ten minutes; with the bounds below at most about 2 MB a camera, mostly 300 KB. */
const MAX_SLOTS = 1200;
const MAX_LABELS = 8;
const MAX_NAMES = 12;
const MAX_NOTES = 64;
const MAX_CLIPS = 64;

interface Slot extends Pick<WhyFrame, 'timeMs'> {
  decoded: number;
  sampled: number;
  busy: number;
  error: number;
  kept: number;
  recording: boolean;
  view: ViewState;
  readonly best: Map<string, WhyBest>;
  readonly tracks: Map<string, number>;
  readonly regions: Map<string, Set<string>>;
  readonly rules: Map<string, string>;
  readonly events: Set<string>;
}

export interface WhyCounts {
  readonly sampled: number;
  readonly busy: number;
  readonly error: number;
}

/**
 * What became of a camera's frames in the last ten minutes, half a second a slot, on the camera's thread. Counters are
 * read when a slot begins; the best scores below the threshold are asked for once a slot. Bounded in everything.
 */
export class WhyRing {
  readonly #counts: () => WhyCounts;
  readonly #slots: Slot[] = [];
  readonly #notes: { readonly timeMs: number; readonly text: string }[] = [];
  readonly #clips: { readonly name: string; readonly fromMs: number; readonly toMs: number }[] = [];
  #regions: readonly ClipRegion[];
  #recording = false;
  #asked = 0;
  #before: WhyCounts = { sampled: 0, busy: 0, error: 0 };

  constructor(regions: readonly ClipRegion[], counts: () => WhyCounts) {
    this.#regions = regions;
    this.#counts = counts;
  }

  setRegions(regions: readonly ClipRegion[]): void {
    this.#regions = regions;
  }

  /** A picture comes. @returns whether its best scores should be asked for: once a slot, of one that is looked at */
  captured(timeMs: number, isLookedAt: boolean, view: ViewState): boolean {
    const slot = this.#slotAt(timeMs);
    slot.decoded += 1;
    if (view !== 'ok') slot.view = view;
    if (!isLookedAt || this.#asked === slot.timeMs) return false;
    this.#asked = slot.timeMs;
    return true;
  }

  /** @param objects behind the tracker; @param detected before it */
  seen(
    { captureTimeMs }: Pick<FrameInsights, 'captureTimeMs'>,
    size: Pick<FrameInsights, 'width' | 'height'>,
    detected: readonly FrameObject[],
    objects: readonly FrameObject[],
    peaks: readonly ScorePeak[] | undefined,
  ): void {
    if (detected.length === 0 && objects.length === 0 && !peaks) return;
    const slot = this.#slotAt(captureTimeMs);
    slot.kept = Math.max(slot.kept, detected.length);
    for (const { label, classId, score, threshold } of peaks ?? []) {
      const name = label === '' ? `class ${classId}` : label;
      const known = slot.best.get(name);
      if (known ? known.score >= score : slot.best.size >= MAX_LABELS) continue;
      slot.best.set(name, {
        label: name,
        score: round(score),
        threshold: threshold === null ? null : round(threshold),
      });
    }
    for (const { label, classId, trackingId, confidence, box } of objects) {
      const name = label === '' ? `class ${classId}` : label;
      const track = trackingId >= 0 ? `${name} ${trackingId}` : name;
      if (slot.tracks.has(track) || slot.tracks.size < MAX_NAMES) {
        slot.tracks.set(track, Math.max(slot.tracks.get(track) ?? 0, confidence));
      }
      const x = (box.left + box.width / 2) / size.width;
      const y = (box.top + box.height / 2) / size.height;
      for (const region of this.#regions) {
        if (pointInPolygon(x, y, region.coordinates) !== 'inside') continue;
        const inside = slot.regions.get(region.label) ?? new Set();
        if (inside.size < MAX_NAMES) inside.add(track);
        slot.regions.set(region.label, inside);
      }
    }
  }

  /** What leaves the thread: rules have been asked. */
  told({ captureTimeMs, analytics, events, properties }: FrameInsights): void {
    if (!analytics && !events && !properties) return;
    const slot = this.#slotAt(captureTimeMs);
    for (const { zone, count } of analytics?.regions ?? []) note(slot.rules, zone, `${count} objects`);
    for (const { zone, count } of analytics?.lines ?? []) note(slot.rules, zone, `crossed ${count} times`);
    for (const zone of analytics?.overcrowded ?? []) note(slot.rules, zone, 'overcrowded');
    for (const [name, value] of Object.entries(properties ?? {})) note(slot.rules, name, value);
    const names = [...(analytics?.events ?? []).map(({ type, zone }) => `${type} ${zone}`)];
    for (const { type } of events ?? []) names.push(type);
    for (const name of names) if (slot.events.size < MAX_NAMES) slot.events.add(name);
  }

  recording(on: boolean, reason: string, timeMs: number): void {
    this.#recording = on;
    this.note(timeMs, on ? `recording was switched on (${reason})` : `recording was switched off (${reason})`);
  }

  clip({ path, seconds }: ClipReport, timeMs: number): void {
    const name = basename(path);
    const start = /-(\d{4}-\d\d-\d\d)-(\d\d:\d\d:\d\d)/.exec(name);
    const fromMs = start ? Date.parse(`${start[1]}T${start[2]}Z`) : timeMs - seconds * 1000;
    this.#clips.push({ name, fromMs, toMs: fromMs + seconds * 1000 + 1000 });
    if (this.#clips.length > MAX_CLIPS) this.#clips.shift();
  }

  note(timeMs: number, text: string): void {
    if (this.#notes.at(-1)?.text === text) return;
    this.#notes.push({ timeMs, text: text.slice(0, 300) });
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
  }

  get notes(): readonly { readonly timeMs: number; readonly text: string }[] {
    return this.#notes;
  }

  between(fromMs: number, toMs: number): WhyFrame[] {
    const newest = this.#slots.at(-1);
    if (newest) this.#count(newest);
    return this.#slots
      .filter(({ timeMs }) => timeMs + SLOT_MS > fromMs && timeMs <= toMs)
      .map((slot) => this.#frameOf(slot));
  }

  #slotAt(timeMs: number): Slot {
    const at = Math.floor(timeMs / SLOT_MS) * SLOT_MS;
    const newest = this.#slots.at(-1);
    if (newest?.timeMs === at) return newest;
    // An answer about a frame of the slot before.
    if (newest && at < newest.timeMs && newest.timeMs - at < 60_000) {
      return this.#slots.findLast(({ timeMs: one }) => one <= at) ?? newest;
    }
    if (newest) this.#count(newest);
    const slot: Slot = {
      timeMs: at,
      ...{ decoded: 0, sampled: 0, busy: 0, error: 0, kept: 0 },
      recording: this.#recording,
      view: 'ok',
      best: new Map(),
      tracks: new Map(),
      regions: new Map(),
      rules: new Map(),
      events: new Set(),
    };
    this.#slots.push(slot);
    if (this.#slots.length > MAX_SLOTS) this.#slots.shift();
    return slot;
  }

  #count(slot: Slot): void {
    const now = this.#counts();
    slot.sampled += now.sampled - this.#before.sampled;
    slot.busy += now.busy - this.#before.busy;
    slot.error += now.error - this.#before.error;
    slot.recording ||= this.#recording;
    this.#before = now;
  }

  #frameOf(slot: Slot): WhyFrame {
    const { timeMs, decoded, sampled, busy, error, kept, recording, view, best, tracks, regions, rules, events } = slot;
    const clip = this.#clips.find(({ fromMs, toMs }) => timeMs + SLOT_MS > fromMs && timeMs <= toMs);
    return {
      ...{ timeMs, decoded, sampled, dropped: { busy, error } },
      best: [...best.values()],
      kept,
      tracks: [...tracks].map(([name, score]) => `${name} (${score.toFixed(2)})`),
      regions: [...regions].map(([label, inside]) => ({ label, inside: [...inside] })),
      rules: [...rules].map(([name, state]) => `${name}: ${state}`),
      events: [...events],
      recording: recording || clip !== undefined,
      ...(clip ? { clip: clip.name } : {}),
      ...(view === 'ok' ? {} : { view }),
    };
  }
}

function note(rules: Map<string, string>, name: string, state: string): void {
  if (rules.has(name) || rules.size < MAX_NAMES) rules.set(name, state.slice(0, 60));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
