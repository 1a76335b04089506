import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { changeOf, compareRegions, mergeRegions, sideOf, type Side } from '../../core/merge.ts';
import type { Region } from '../../core/shapes.ts';
import { Notice } from '../../ui/parts.tsx';

interface Props {
  readonly base: readonly Region[];
  readonly mine: readonly Region[];
  readonly theirs: readonly Region[];
  readonly busy: boolean;
  /** Mine cannot be saved as it is. */
  readonly blocked: boolean;
  readonly onSave: (regions: Region[]) => void;
  readonly onTheirs: () => void;
  /** Go on drawing first. */
  readonly onBack: () => void;
}

/** Somebody else saved in between: what they did, what I did, and whose counts, region by region. */
export function Conflict(props: Props): JSX.Element {
  const { base, mine, theirs, busy, blocked, onSave, onTheirs, onBack } = props;
  const [choices, setChoices] = useState<Readonly<Record<string, Side>>>({});
  const differences = compareRegions(base, mine, theirs);
  const clashes = differences.filter(({ clash }) => clash).length;
  return (
    <section class="card" aria-label="Conflict">
      <Notice kind="warn">
        Somebody else changed the configuration meanwhile; nothing of yours is saved yet.{' '}
        {clashes === 0
          ? 'Your change and theirs do not touch each other.'
          : 'Both of you changed the same: choose whose counts.'}
      </Notice>
      <table class="conflict">
        <thead>
          <tr>
            <th scope="col">Region</th>
            <th scope="col">Theirs</th>
            <th scope="col">Yours</th>
          </tr>
        </thead>
        <tbody>
          {differences.map((one) => (
            <tr key={one.key} class={one.clash ? 'clash' : ''}>
              <th scope="row">{one.key}</th>
              {(['theirs', 'mine'] as const).map((side) => (
                <td key={side}>
                  {one.clash ? (
                    <label class="toggle">
                      <input
                        type="radio"
                        name={one.key}
                        checked={sideOf(one, choices) === side}
                        onChange={() => setChoices({ ...choices, [one.key]: side })}
                      />
                      <span>{changeOf(one.base, one[side])}</span>
                    </label>
                  ) : (
                    changeOf(one.base, one[side])
                  )}
                </td>
              ))}
            </tr>
          ))}
          {differences.length === 0 && (
            <tr>
              <td colSpan={3}>The regions of this camera are the same; something else was changed.</td>
            </tr>
          )}
        </tbody>
      </table>
      <div class="row">
        <button
          type="button"
          class="primary"
          disabled={busy || blocked}
          onClick={() => onSave(mergeRegions(base, mine, theirs, choices))}
        >
          Save both
        </button>
        <button type="button" disabled={busy} onClick={onTheirs}>
          Take theirs
        </button>
        <button type="button" disabled={busy || blocked} onClick={() => onSave([...mine])}>
          Overwrite theirs
        </button>
        <button type="button" class="quiet" disabled={busy} onClick={onBack}>
          Go on drawing
        </button>
      </div>
    </section>
  );
}
