import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { api, ApiFailure, reasonOf } from '../../api.ts';
import { ago } from '../../core/format.ts';
import { Notice, tell } from '../../ui/parts.tsx';
import { useLoaded, useNow } from '../../ui/use.ts';

interface Props {
  readonly module: string;
  readonly etag: string;
  /** Edits that are not applied would be lost. */
  readonly locked: boolean;
  readonly onDone: () => void;
}

/** States that this twin had, and the way back to one. */
export function Past({ module, etag, locked, onDone }: Props): JSX.Element {
  const { value: past, error } = useLoaded(() => api.past(module), [module, etag]);
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const now = useNow(10_000);
  const back = async (steps: number): Promise<void> => {
    setBusy(true);
    setFault(undefined);
    try {
      await api.rollback(module, steps, etag);
      tell('Rolled back.');
      onDone();
    } catch (reason) {
      const changed = reason instanceof ApiFailure && reason.code === 'TWIN_CHANGED';
      setFault(
        changed ? 'Somebody else changed this twin meanwhile. Load it again, then roll back.' : reasonOf(reason),
      );
      if (changed) onDone();
    }
    setBusy(false);
  };
  return (
    <section class="card">
      <h2>Before</h2>
      {(fault ?? error) && <Notice>{fault ?? error}</Notice>}
      {past?.length === 0 && <p class="dim">No earlier state is kept.</p>}
      <ol class="past">
        {past?.slice(0, 8).map(({ steps, replacedAt }) => (
          <li key={steps}>
            <span>
              replaced {ago(Date.parse(replacedAt), now)}
              <small class="dim"> {new Date(replacedAt).toLocaleTimeString()}</small>
            </span>
            <button type="button" disabled={busy || locked} onClick={() => void back(steps)}>
              Roll back
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
