import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ApiCamera, ApiTwin } from '../../../../src/api.ts';
import { api, ApiFailure, reasonOf, session } from '../../api.ts';
import { RegionEditor } from '../../core/editor.ts';
import { kept } from '../../core/format.ts';
import { MODES } from '../../core/moves.ts';
import { regionOf, shapeOf, type Region } from '../../core/shapes.ts';
import { regionsIn } from '../../core/twin-regions.ts';
import { linesOf, skillsForLines, withLines } from '../../core/twin-rules.ts';
import { LivePicture } from '../../live/live-picture.tsx';
import { leaveGuard } from '../../router.ts';
import { Icon } from '../../ui/icons.tsx';
import { Choice, Notice, tell } from '../../ui/parts.tsx';
import { Conflict } from './conflict.tsx';
import { DrawingBoard } from './drawing-board.tsx';
import { Keys } from './keys.tsx';
import { ShapeList } from './shape-list.tsx';

const CONTROLLER = 'controllermodule';
const MODE_NAMES = { point: 'Points', edge: 'Edges', shape: 'Shapes' } as const;
const ONLY_BOXES = { boxes: true, labels: false, tracks: false, regions: false };

/** The twin that was begun with, and the camera's regions in it. */
interface Base {
  readonly twin: ApiTwin;
  readonly regions: readonly Region[];
}

/** Drawing on one camera's picture, and saving what was drawn. */
export function Editing({ camera, twin }: { camera: ApiCamera; twin: ApiTwin }): JSX.Element {
  const { sensor } = camera;
  const [, redraw] = useState(0);
  const [base, setBase] = useState<Base>(() => baseOf(twin, sensor));
  /** What somebody else saved meanwhile, as soon as it is known. */
  const [theirs, setTheirs] = useState<Base>();
  const [comparing, setComparing] = useState(false);
  const [paused, setPaused] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const editor = useMemo(() => {
    const shapes = [...base.regions.map(shapeOf), ...linesOf(base.twin.desired, sensor)];
    return new RegionEditor(shapes, () => redraw((old) => old + 1));
  }, [base]);
  const start = useMemo(() => editor.shapes, [editor]);
  const dirty = editor.shapes !== start;
  const faults = editor.faults;
  const mine = editor.shapes.filter(({ kind }) => kind === 'polygon').map((shape) => plain(regionOf(shape, sensor)));
  const skills = skillsForLines(base.twin.desired, sensor);

  const begin = (next: Base): void => {
    setBase(next);
    setTheirs(undefined);
    setComparing(false);
  };

  useEffect(() => {
    leaveGuard.ask = dirty ? () => window.confirm('The regions are not saved. Leave them?') : undefined;
    const keep = (event: BeforeUnloadEvent): void => event.preventDefault();
    if (dirty) window.addEventListener('beforeunload', keep);
    return () => {
      leaveGuard.ask = undefined;
      window.removeEventListener('beforeunload', keep);
    };
  }, [dirty]);

  // The regions of the camera are others than a moment ago: by whom, shows their twin.
  const there = useMemo(() => JSON.stringify(camera.regions), [camera.regions]);
  const seen = useRef(there);
  const now = useRef({ base, dirty, busy });
  now.current = { base, dirty, busy };
  useEffect(() => {
    if (seen.current === there) return;
    seen.current = there;
    void api.twin(CONTROLLER).then(
      (fresh) => {
        const next = baseOf(fresh, sensor);
        if (now.current.busy || sameRegions(next.regions, now.current.base.regions)) return;
        if (now.current.dirty) setTheirs(next);
        else begin(next);
      },
      // Saving finds out as well.
      () => undefined,
    );
  }, [there]);

  const store = async (regions: readonly Region[], against: Base): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      let at = against.twin.etag;
      let large = '';
      if (!sameRegions(regions, against.regions)) {
        const saved = await api.saveRegions(sensor, regions, at);
        at = saved.etag;
        large = kept(saved.large);
      }
      const lines = editor.shapes.filter(({ kind }) => kind === 'line');
      const changed = withLines(base.twin.desired, sensor, lines) && withLines(against.twin.desired, sensor, lines);
      if (changed)
        await api.change(CONTROLLER, { patch: { azdaConfiguration: { components: { skills: changed } } }, etag: at });
      begin(baseOf(await api.twin(CONTROLLER), sensor));
      const count = `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}`;
      tell(`Saved: ${count} of ${sensor}. They apply from the next frame on.${large}`);
    } catch (fault) {
      if (fault instanceof ApiFailure && fault.code === 'TWIN_CHANGED') await meet();
      else setError(`Not saved. ${reasonOf(fault)}`);
    }
    setBusy(false);
  };

  /** Somebody else was quicker: what did they do? */
  const meet = async (): Promise<void> => {
    try {
      setTheirs(baseOf(await api.twin(CONTROLLER), sensor));
      setComparing(true);
    } catch (fault) {
      setError(`Not saved: somebody else changed the configuration, and it cannot be read. ${reasonOf(fault)}`);
    }
  };

  const readOnly = session.value?.readOnly === true;
  const blocked = faults.size > 0 || readOnly;
  return (
    <div class="watch">
      <div class="stage">
        <LivePicture camera={camera} paused={paused} options={ONLY_BOXES} regions={[]}>
          <DrawingBoard editor={editor} />
        </LivePicture>
        <div class="controls">
          <button type="button" class="icon-button" onClick={() => setPaused(!paused)}>
            <Icon name={paused ? 'play' : 'pause'} />
            <span class="hidden-text">{paused ? 'Go on live' : 'Pause the picture'}</span>
          </button>
          <Choice
            label="What is moved"
            options={MODES.map((mode, index) => ({ value: mode, name: MODE_NAMES[mode], title: `Key ${index + 1}` }))}
            value={editor.mode}
            onChange={(mode) => (editor.mode = mode)}
          />
          <button type="button" class="icon-button" disabled={!editor.canUndo} onClick={() => editor.undo()}>
            <Icon name="undo" />
            <span class="hidden-text">Undo</span>
          </button>
          <button type="button" class="icon-button" disabled={!editor.canRedo} onClick={() => editor.redo()}>
            <Icon name="redo" />
            <span class="hidden-text">Redo</span>
          </button>
          <span class="hint">{hintOf(editor)}</span>
        </div>
      </div>
      <aside class="side">
        {theirs && comparing ? (
          <Conflict
            base={base.regions}
            mine={mine}
            theirs={theirs.regions}
            busy={busy}
            blocked={blocked}
            onSave={(regions) => void store(regions, theirs)}
            onTheirs={() => begin(theirs)}
            onBack={() => setComparing(false)}
          />
        ) : (
          <section class="card">
            {theirs && (
              <Notice kind="warn">
                Somebody else changed the regions of {sensor} meanwhile.{' '}
                <button type="button" class="link" onClick={() => setComparing(true)}>
                  Compare
                </button>
              </Notice>
            )}
            <div class="row">
              <button type="button" onClick={() => editor.add('polygon')}>
                <Icon name="plus" size={16} /> Region
              </button>
              <button
                type="button"
                disabled={skills.length === 0}
                title={skills.length === 0 ? 'A line belongs to a skill that follows objects (docs/skills.md)' : ''}
                onClick={() => editor.add('line', { skill: skills[0] ?? '', direction: 'both' })}
              >
                <Icon name="plus" size={16} /> Line
              </button>
            </div>
            <ShapeList editor={editor} faults={faults} />
            {error && <Notice>{error}</Notice>}
            <div class="row">
              <button
                type="button"
                class="primary"
                disabled={busy || blocked || !dirty}
                onClick={() => (theirs ? setComparing(true) : void store(mine, base))}
              >
                {busy ? 'Saving …' : 'Save'}
              </button>
              <button type="button" disabled={busy || !dirty} onClick={() => begin(theirs ?? { ...base })}>
                Discard
              </button>
              {readOnly && <span class="dim">This Player only looks.</span>}
              {faults.size > 0 && (
                <span class="dim">
                  {faults.size === 1 ? 'One shape' : `${faults.size} shapes`} cannot be saved yet.
                </span>
              )}
            </div>
          </section>
        )}
        <Keys />
      </aside>
    </div>
  );
}

function hintOf(editor: RegionEditor): string {
  const shape = editor.shape(editor.drawing);
  if (shape?.kind === 'line') return 'Click where the line begins and where it ends.';
  if (shape)
    return shape.points.length < 3 ? 'Click the corners, three at least.' : 'Enter, or the first corner, ends it.';
  if (editor.mode === 'edge') return 'Drag an edge.';
  if (editor.mode === 'shape') return 'Drag a shape.';
  return editor.selected === undefined ? 'Drag a point.' : 'Drag a point; click an edge for one more.';
}

function baseOf(twin: ApiTwin, sensor: string): Base {
  return { twin, regions: regionsIn(twin, sensor) };
}

function sameRegions(a: readonly Region[], b: readonly Region[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function plain({ label, color, coordinates, sensor }: Region): Region {
  return { label, color, coordinates, ...(sensor === undefined ? {} : { sensor }) };
}
