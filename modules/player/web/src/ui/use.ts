import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiFailure, reasonOf } from '../api.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  /** Why the last attempt failed, as a sentence. */
  readonly error: string | undefined;
  readonly reload: () => void;
}

/**
 * Asks at once, whenever one of the keys changes, and every `everyMs` while the page is seen. A value stays when a later
 * attempt fails.
 */
export function useLoaded<T>(load: () => Promise<T>, keys: readonly unknown[], everyMs?: number): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: string | undefined }>({
    value: undefined,
    error: undefined,
  });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    let over = false;
    let timer: number | undefined;
    const again = (): void => {
      if (everyMs !== undefined && !over) timer = window.setTimeout(() => void ask(), everyMs);
    };
    const ask = async (): Promise<void> => {
      if (document.hidden && everyMs !== undefined) return again();
      try {
        const value = await latest.current();
        if (!over) setState({ value, error: undefined });
      } catch (error) {
        // That the Player is away stands above every page already.
        const isAway = error instanceof ApiFailure && error.status === 0;
        if (!over) setState((old) => ({ value: old.value, error: isAway ? undefined : reasonOf(error) }));
      }
      again();
    };
    void ask();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [...keys, round, everyMs]);
  return { ...state, reload: () => setRound((old) => old + 1) };
}

/** The time, again every `everyMs`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Size of an element in CSS pixels, as it changes. */
export function useSize(element: { readonly current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const observer = new ResizeObserver(() => setSize({ width: target.clientWidth, height: target.clientHeight }));
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
