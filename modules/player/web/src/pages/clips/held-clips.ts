import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiClip, ApiClips } from '../../../../src/api.ts';
import { api, reasonOf, type ClipQuery } from '../../api.ts';

/** Clips of the first answer, which is asked for again and again, and of those that are fetched on the way down. */
const FIRST = 100;
const MORE = 500;
const LOOK_MS = 5000;

interface Held {
  readonly clips: readonly ApiClip[];
  readonly answer: ApiClips;
}

export interface HeldClips {
  /** Newest first; the oldest may be missing. Undefined before the first answer. */
  readonly clips: readonly ApiClip[] | undefined;
  readonly answer: ApiClips | undefined;
  /** How many there are, those that are missing included. */
  readonly total: number;
  readonly error: string | undefined;
  /** Fetches the next older ones, if there are any. */
  readonly more: () => Promise<void>;
  /** Fetches again what some of them hold, which was not read when they were listed. */
  readonly fill: (names: readonly string[]) => Promise<void>;
  /** Fetches until a moment is covered (epoch milliseconds). @returns all that are there then */
  readonly reach: (time: number) => Promise<readonly ApiClip[]>;
}

/** The clips that fit a question, as they come and go, loaded as far down as somebody looks. */
export function useClips(ask: ClipQuery, key: string): HeldClips {
  const [held, setHeld] = useState<Held>();
  const [error, setError] = useState<string>();
  const now = useRef<{ key: string; held: Held | undefined; running: Promise<void> | undefined }>({
    key,
    held: undefined,
    running: undefined,
  });
  const keep = (of: string, next: Held): void => {
    if (now.current.key !== of) return;
    now.current.held = next;
    setHeld(next);
    setError(undefined);
  };
  const fail = (of: string, fault: unknown): void => {
    if (now.current.key === of) setError(reasonOf(fault));
  };

  // New clips come on top while one looks; those that were loaded further down stay.
  useEffect(() => {
    now.current = { key, held: undefined, running: undefined };
    setHeld(undefined);
    const look = async (): Promise<void> => {
      if (document.hidden || now.current.running) return;
      try {
        const answer = await api.clips({ ...ask, limit: FIRST });
        const old = now.current.held;
        if (!old || old.clips.length <= answer.clips.length) return keep(key, { clips: answer.clips, answer });
        const { sensors, total, sources } = answer;
        keep(key, { clips: onTop(answer.clips, old.clips), answer: { ...old.answer, sensors, total, sources } });
      } catch (fault) {
        fail(key, fault);
      }
    };
    void look();
    const timer = window.setInterval(() => void look(), LOOK_MS);
    return () => window.clearInterval(timer);
  }, [key]);

  const fetchMore = async (of: string): Promise<void> => {
    const old = now.current.held;
    if (old?.answer.next === undefined) return;
    try {
      const answer = await api.clips({ ...ask, limit: MORE, before: old.answer.next });
      keep(of, { clips: [...old.clips, ...answer.clips], answer });
    } catch (fault) {
      fail(of, fault);
    }
  };
  const more = (): Promise<void> => {
    const { current } = now;
    current.running ??= fetchMore(current.key).finally(() => (current.running = undefined));
    return current.running;
  };
  const fill = async (names: readonly string[]): Promise<void> => {
    const of = now.current.key;
    const answer = await api.clips({ name: names, limit: names.length }).catch(() => undefined);
    const old = now.current.held;
    if (!answer || !old) return;
    const known = new Map(answer.clips.map((clip) => [clip.name, clip]));
    keep(of, { ...old, clips: old.clips.map((clip) => known.get(clip.name) ?? clip) });
  };
  const reach = async (time: number): Promise<readonly ApiClip[]> => {
    for (;;) {
      const before = now.current.held;
      const last = before?.clips.at(-1);
      if (!last || before?.answer.next === undefined || Date.parse(last.startedAt) <= time) break;
      await more();
      if (now.current.held === before) break;
    }
    return now.current.held?.clips ?? [];
  };
  const { clips, answer } = held ?? {};
  const known = clips?.length ?? 0;
  const total = answer?.next === undefined ? known : Math.max(known, answer.total);
  return { clips, answer, total, error, more, fill, reach };
}

function onTop(fresh: readonly ApiClip[], old: readonly ApiClip[]): ApiClip[] {
  const last = fresh.at(-1);
  const below = last ? old.findIndex(({ name }) => name === last.name) : -1;
  return below === -1 ? [...fresh] : [...fresh, ...old.slice(below + 1)];
}
