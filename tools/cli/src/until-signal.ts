/** Aborts on Ctrl-C or SIGTERM, or after so many seconds. `release` it, or the process keeps its signals. */
export function untilSignal(seconds?: number): { readonly signal: AbortSignal; release(): void } {
  const abort = new AbortController();
  const onSignal = (): void => {
    abort.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const timer = seconds === undefined ? undefined : setTimeout(onSignal, seconds * 1000);
  return {
    signal: abort.signal,
    release: () => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}
