import type { WhyAnswer, WhyFrame } from './why-types.ts';

/** Sentences say what was around the moment that was asked for: so much before and after it. */
const AROUND_MS = 2000;

/** What a person would say of a moment, in the order of the chain: frames, scores, objects, regions, rules, clip. */
export function sentencesOf(
  { pipeline, sensor, frames, notes }: Omit<WhyAnswer, 'at' | 'summary'>,
  atMs: number,
  regions: readonly string[],
): string[] {
  const near = frames.filter(({ timeMs }) => Math.abs(timeMs - atMs) <= AROUND_MS);
  const say = (text: string, timeMs = atMs): string => `${clock(timeMs)} ${sensor}: ${text}`;
  const sentences: string[] = [];
  const lately = notes.findLast(({ timeMs }) => timeMs <= atMs + AROUND_MS);
  if (near.length === 0) {
    const since = lately ? `; at ${clock(lately.timeMs)}: ${lately.text}` : '';
    return [say(`no picture of then is known (the last ten minutes are kept)${since}`)];
  }
  const sum = (of: (frame: WhyFrame) => number): number => near.reduce((total, frame) => total + of(frame), 0);
  const [decoded, sampled] = [sum((frame) => frame.decoded), sum((frame) => frame.sampled)];
  const [busy, failed] = [sum(({ dropped }) => dropped.busy), sum(({ dropped }) => dropped.error)];
  const left = [
    ...(busy > 0 ? [`${busy} were left out, because the model was busy with others`] : []),
    ...(failed > 0 ? [`the model failed on ${failed}`] : []),
  ];
  sentences.push(say([`${decoded} pictures came, the model looked at ${sampled}`, ...left].join('; ')));
  const view = near.find((frame) => frame.view !== undefined)?.view;
  if (view !== undefined) sentences.push(say(`the view was ${view}: what the model says of it is worth little`));
  sentences.push(...misses(near).map(({ text, timeMs }) => say(text, timeMs)));
  sentences.push(...finds(near, regions).map((text) => say(text)));
  const rules = near.findLast((frame) => frame.rules.length > 0)?.rules ?? [];
  if (rules.length > 0) sentences.push(say(`rules: ${rules.join(', ')}`));
  const events = [...new Set(near.flatMap((frame) => frame.events))];
  sentences.push(say(events.length > 0 ? `events: ${events.join(', ')}` : 'no rule told an event'));
  const clip = near.find((frame) => frame.clip !== undefined)?.clip;
  if (clip !== undefined) sentences.push(say(`it is in the clip ${clip}`));
  else if (near.some(({ recording }) => recording)) sentences.push(say(`it was being recorded`));
  else sentences.push(say(`nothing was recorded: nobody had asked ${pipeline} to`));
  return sentences.slice(0, 40);
}

/** Classes whose best score was not enough. */
function misses(near: readonly WhyFrame[]): { readonly text: string; readonly timeMs: number }[] {
  const best = new Map<string, { score: number; threshold: number | null; timeMs: number }>();
  for (const { timeMs, best: all } of near) {
    for (const { label, score, threshold } of all) {
      if (score > (best.get(label)?.score ?? 0)) best.set(label, { score, threshold, timeMs });
    }
  }
  const seen = new Set(near.flatMap(({ tracks }) => tracks.map((track) => track.replace(/( \d+)? \([\d.]+\)$/, ''))));
  return [...best]
    .filter(([label]) => !seen.has(label))
    .flatMap(([label, { score, threshold, timeMs }]) => {
      const what = `${article(label)} ${label} was seen with ${score.toFixed(2)}`;
      if (threshold === null) return [{ timeMs, text: `${what}, and the class ${label} is switched off` }];
      // What is far from enough is no news.
      if (score < threshold && score < threshold / 3) return [];
      const why =
        score < threshold
          ? `below the threshold ${threshold.toFixed(2)} of class ${label}`
          : 'enough for its class, but left out behind it: size, top-k or the tracker';
      return [{ timeMs, text: `${what}, ${why}` }];
    });
}

function finds(near: readonly WhyFrame[], regions: readonly string[]): string[] {
  const most = Math.max(...near.map(({ kept }) => kept));
  const tracks = [...new Set(near.flatMap((frame) => frame.tracks.map((track) => track.replace(/ \([\d.]+\)$/, ''))))];
  if (most === 0 && tracks.length === 0) return ['nothing was found'];
  if (tracks.length === 0) return [`${objects(most)} found, and the tracker has confirmed none of them (yet)`];
  const inside = new Map<string, Set<string>>();
  for (const frame of near) {
    for (const { label, inside: who } of frame.regions) {
      inside.set(label, new Set([...(inside.get(label) ?? []), ...who]));
    }
  }
  const found = `${tracks.join(', ')} found`;
  if (regions.length === 0) return [`${found}; the camera has no region of interest`];
  if (inside.size === 0) return [`${found}, outside of every region (${regions.join(', ')})`];
  return [
    `${found}; inside ${[...inside].map(([label, who]) => `${label}: ${[...who].join(', ')}`).join('; inside ')}`,
  ];
}

function objects(count: number): string {
  return count === 1 ? '1 object was' : `${count} objects were`;
}

function article(label: string): string {
  return /^[aeiou]/i.test(label) ? 'an' : 'a';
}

/** UTC, as in clip names. */
function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}
