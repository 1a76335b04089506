import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ApiCamera, ApiTwin } from '../../../src/api.ts';
import { api, ApiFailure, reasonOf, session } from '../api.ts';
import { RegionEditor } from '../core/editor.ts';
import { isRecord } from '../core/locate.ts';
import { regionOf, shapeOf, type Region } from '../core/shapes.ts';
import { linesOf, skillsForLines, withLines } from '../core/twin-rules.ts';
import { LivePicture } from '../live/live-picture.tsx';
import { href, leaveGuard, route } from '../router.ts';
import { CameraChoice, cameraOf, keyOf } from '../ui/camera-choice.tsx';
import { Icon } from '../ui/icons.tsx';
import { Empty, Heading, Notice, tell } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';
import { Conflict } from './regions/conflict.tsx';
import { DrawingBoard } from './regions/drawing-board.tsx';
import { ShapeList } from './regions/shape-list.tsx';

const CONTROLLER = 'controllermodule';
const ONLY_BOXES = { boxes: true, labels: false, tracks: false, regions: false };

export function RegionsPage(): JSX.Element {
  const { value: cameras, error } = useLoaded(api.cameras, [], 5000);
  const camera = cameraOf(cameras ?? [], route.value.names);
  const { value: twin, error: twinError, reload } = useLoaded(() => api.twin(CONTROLLER), [camera && keyOf(camera)]);
  return (
    <>
      <Heading title="Regions">
        {cameras && cameras.length > 0 && (
          <CameraChoice
            cameras={cameras}
            chosen={camera}
            onChoose={({ pipeline, sensor }) => (location.hash = href('regions', [pipeline, sensor]))}
          />
        )}
      </Heading>
      {(error ?? twinError) && <Notice>{error ?? twinError}</Notice>}
      {cameras && !camera && <Empty title="No camera is configured." />}
      {camera && twin && <Editing key={keyOf(camera)} camera={camera} twin={twin} reload={reload} />}
    </>
  );
}

interface Base {
  readonly twin: ApiTwin;
  readonly regions: readonly Region[];
}

function Editing({ camera, twin, reload }: { camera: ApiCamera; twin: ApiTwin; reload: () => void }): JSX.Element {
  const { sensor } = camera;
  const [, redraw] = useState(0);
  const [base, setBase] = useState<Base>(() => ({ twin, regions: regionsIn(twin, sensor) }));
  const [theirs, setTheirs] = useState<Base>();
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

  useEffect(() => {
    leaveGuard.ask = dirty ? () => window.confirm('The regions are not saved. Leave them?') : undefined;
    const keep = (event: BeforeUnloadEvent): void => event.preventDefault();
    if (dirty) window.addEventListener('beforeunload', keep);
    return () => {
      leaveGuard.ask = undefined;
      window.removeEventListener('beforeunload', keep);
    };
  }, [dirty]);

  const store = async (regions: readonly Region[], etag: string): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      let at = etag;
      if (JSON.stringify(regions) !== JSON.stringify(base.regions))
        at = (await api.saveRegions(sensor, regions, at)).etag;
      const lines = withLines(
        base.twin.desired,
        sensor,
        editor.shapes.filter(({ kind }) => kind === 'line'),
      );
      if (lines)
        await api.change(CONTROLLER, { patch: { azdaConfiguration: { components: { skills: lines } } }, etag: at });
      const fresh = await api.twin(CONTROLLER);
      setTheirs(undefined);
      setBase({ twin: fresh, regions: regionsIn(fresh, sensor) });
      tell(
        `Saved: ${regions.length} ${regions.length === 1 ? 'region' : 'regions'} of ${sensor}. They apply from the next frame on.`,
      );
    } catch (fault) {
      if (fault instanceof ApiFailure && fault.code === 'TWIN_CHANGED') await meet();
      else setError(`Not saved. ${reasonOf(fault)}`);
    }
    setBusy(false);
  };

  /** Somebody else was quicker: what did they do? Where it was elsewhere in the twin, nothing has to be chosen. */
  const meet = async (): Promise<void> => {
    try {
      const fresh = await api.twin(CONTROLLER);
      setTheirs({ twin: fresh, regions: regionsIn(fresh, sensor) });
    } catch (fault) {
      setError(`Not saved: somebody else changed the configuration, and it cannot be read. ${reasonOf(fault)}`);
    }
  };

  const blocked = faults.size > 0 || session.value?.readOnly === true;
  return (
    <div class="watch">
      <div class="stage">
        <LivePicture camera={camera} paused={paused} options={ONLY_BOXES} regions={[]}>
          <DrawingBoard editor={editor} />
        </LivePicture>
        <div class="controls">
          <button type="button" class="icon-button" onClick={() => setPaused(!paused)} aria-pressed={paused}>
            <Icon name={paused ? 'play' : 'pause'} />
            <span class="hidden-text">{paused ? 'Go on live' : 'Pause the picture'}</span>
          </button>
          <div class="modes" role="radiogroup" aria-label="What is moved">
            {(['point', 'edge', 'shape'] as const).map((mode, index) => (
              <button
                key={mode}
                type="button"
                role="radio"
                aria-checked={editor.mode === mode}
                onClick={() => (editor.mode = mode)}
                title={`Key ${index + 1}`}
              >
                {{ point: 'Points', edge: 'Edges', shape: 'Shapes' }[mode]}
              </button>
            ))}
          </div>
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
        {theirs ? (
          <Conflict
            base={base.regions}
            mine={mine}
            theirs={theirs.regions}
            busy={busy}
            onSave={(regions) => void store(regions, theirs.twin.etag)}
            onTheirs={() => {
              setBase(theirs);
              setTheirs(undefined);
            }}
          />
        ) : (
          <section class="card">
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
                onClick={() => void store(mine, base.twin.etag)}
              >
                {busy ? 'Saving …' : 'Save'}
              </button>
              <button type="button" disabled={busy || !dirty} onClick={() => (reload(), setBase({ ...base }))}>
                Discard
              </button>
              {faults.size > 0 && (
                <span class="dim">
                  {faults.size === 1 ? 'One shape' : `${faults.size} shapes`} cannot be saved yet.
                </span>
              )}
            </div>
          </section>
        )}
        <details class="card keys">
          <summary>Keys</summary>
          <dl>
            <dt>1 2 3</dt>
            <dd>points, edges, shapes</dd>
            <dt>Insert +</dt>
            <dd>one more point behind the selected one</dd>
            <dt>Delete −</dt>
            <dd>takes the selected point or shape away</dd>
            <dt>arrows</dt>
            <dd>move; with Shift further</dd>
            <dt>[ ]</dt>
            <dd>previous, next point or edge</dd>
            <dt>Enter</dt>
            <dd>ends the drawing</dd>
            <dt>Ctrl Z, Y</dt>
            <dd>undo, redo</dd>
            <dt>Alt</dt>
            <dd>held while dragging: does not snap to the border</dd>
          </dl>
        </details>
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

function plain({ label, color, coordinates, sensor }: Region): Region {
  return { label, color, coordinates, ...(sensor === undefined ? {} : { sensor }) };
}

/** The sensor's regions as they stand in the twin, also those that the modules would refuse: they are drawn and mended here. */
function regionsIn(twin: ApiTwin, sensor: string): Region[] {
  const root = twin.desired['azdaConfiguration'];
  const components = isRecord(root) && isRecord(root['components']) ? root['components'] : {};
  const sensors = Array.isArray(components['sensors']) ? (components['sensors'] as unknown[]) : [];
  const own = sensors.find((one) => isRecord(one) && one['name'] === sensor);
  const inside =
    isRecord(own) && Array.isArray(own['regionsOfInterest']) ? (own['regionsOfInterest'] as unknown[]) : [];
  const flat = Array.isArray(components['regionsOfInterest']) ? (components['regionsOfInterest'] as unknown[]) : [];
  const all = [...inside, ...flat.filter((one) => isRecord(one) && one['sensor'] === sensor)];
  return all.filter(isRecord).map((one): Region => {
    const { label, color, coordinates } = one;
    const points = Array.isArray(coordinates) ? (coordinates as unknown[]) : [];
    return {
      label: typeof label === 'string' ? label : '',
      color: typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color) ? color : '#ff0000',
      coordinates: points.map((point) => {
        const [x, y] = Array.isArray(point) ? (point as unknown[]) : [];
        return [Number(x), Number(y)];
      }),
      sensor,
    };
  });
}
