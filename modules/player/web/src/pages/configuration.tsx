import { diffTwin, mergeTwin, twinEquals } from '@vantage/contracts';
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ApiTwin, ApiTwinPlan } from '../../../src/api.ts';
import { api, ApiFailure, reasonOf, session } from '../api.ts';
import { kept } from '../core/format.ts';
import { isRecord, jsonFault } from '../core/locate.ts';
import type { Issue, Schema } from '../core/schema-form.ts';
import { leaveGuard } from '../router.ts';
import { Choice, Heading, Notice, tell } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';
import { JsonEditor } from './configuration/json-editor.tsx';
import { Past } from './configuration/past.tsx';
import { Plan } from './configuration/plan.tsx';
import { Field } from './configuration/twin-form.tsx';

const MODULES = ['controllermodule', 'ai-pipeline', 'BusinessLogicModule', 'VideoUploader'] as const;
/** A plan follows what is typed, when one stops typing. */
const PLAN_MS = 600;

export function ConfigurationPage(): JSX.Element {
  const [module, setModule] = useState<string>(MODULES[0]);
  const { value: twin, error, reload } = useLoaded(() => api.twin(module), [module]);
  return (
    <>
      <Heading title="Configuration">
        <label class="field inline">
          <span>Module</span>
          <select
            value={module}
            onChange={(event) => {
              if (leaveGuard.ask && !leaveGuard.ask()) return void (event.currentTarget.value = module);
              setModule(event.currentTarget.value);
            }}
          >
            {MODULES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </Heading>
      {error && <Notice>{error}</Notice>}
      {twin && <Editing key={`${module} ${twin.etag}`} module={module} twin={twin} reload={reload} />}
    </>
  );
}

function Editing({ module, twin, reload }: { module: string; twin: ApiTwin; reload: () => void }): JSX.Element {
  const [base, setBase] = useState(twin);
  const [text, setText] = useState(() => pretty(twin.desired));
  const [asForm, setAsForm] = useState(true);
  const [plan, setPlan] = useState<ApiTwinPlan>();
  const [error, setError] = useState<string>();
  /** What keeps even a plan from being made, at its fields. */
  const [unplanned, setUnplanned] = useState<readonly Issue[]>([]);
  const [changed, setChanged] = useState<ApiTwin>();
  const [busy, setBusy] = useState(false);
  const fault = useMemo(() => jsonFault(text), [text]);
  const wanted = useMemo(() => (fault ? undefined : (JSON.parse(text) as unknown)), [text, fault]);
  const object = isRecord(wanted) ? wanted : undefined;
  const dirty = object === undefined || !twinEquals(object, base.desired);
  const issues: readonly Issue[] = plan?.issues ?? unplanned;

  useEffect(() => {
    leaveGuard.ask = dirty ? () => window.confirm('The configuration is not applied. Leave it?') : undefined;
    return () => void (leaveGuard.ask = undefined);
  }, [dirty]);

  useEffect(() => {
    // A plan of what was typed before must not stand beside what is typed now.
    setPlan(undefined);
    setUnplanned([]);
    setError(undefined);
    if (!object || !dirty) return;
    let over = false;
    const timer = window.setTimeout(() => {
      api.plan(module, { patch: diffTwin(base.desired, object) }).then(
        (fresh) => over || setPlan(fresh),
        (reason: unknown) => {
          if (over) return;
          setError(reasonOf(reason));
          if (reason instanceof ApiFailure) setUnplanned(reason.issues);
        },
      );
    }, PLAN_MS);
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [text, base]);

  const apply = async (against: ApiTwin): Promise<void> => {
    if (!object) return;
    setBusy(true);
    setError(undefined);
    try {
      const patch = diffTwin(base.desired, object);
      const { large } = await api.change(module, { patch, etag: against.etag, force: issues.length > 0 });
      tell(`Applied.${kept(large)} The modules report on the health page what became of it.`);
      reload();
    } catch (reason) {
      if (reason instanceof ApiFailure && reason.code === 'TWIN_CHANGED')
        setChanged(await api.twin(module).catch(() => undefined));
      else setError(`Not applied. ${reasonOf(reason)}`);
    }
    setBusy(false);
  };
  /** My change on top of theirs. */
  const rebase = (theirs: ApiTwin): void => {
    if (object) setText(pretty(mergeTwin(theirs.desired, diffTwin(base.desired, object))));
    setBase(theirs);
    setChanged(undefined);
  };
  const schema = (base.schema ?? undefined) as Schema | undefined;
  return (
    <div class="configure">
      <section class="card">
        <Choice
          label="How it is edited"
          options={[
            { value: 'form', name: 'Form' },
            { value: 'json', name: 'JSON' },
          ]}
          value={asForm && object ? 'form' : 'json'}
          disabled={!object}
          onChange={(way) => setAsForm(way === 'form')}
        />
        {asForm && object ? (
          <Field
            name={module}
            path={[]}
            schema={schema}
            value={object}
            issues={issues}
            open
            onChange={(value) => setText(pretty(isRecord(value) ? value : {}))}
          />
        ) : (
          <JsonEditor text={text} fault={fault ?? notObject(wanted)} issues={issues} onChange={setText} />
        )}
      </section>
      <aside class="side">
        {changed && (
          <section class="card">
            <Notice kind="warn">
              Somebody else changed this twin meanwhile; nothing was applied. What they changed:
            </Notice>
            <pre class="patch">{pretty(diffTwin(base.desired, changed.desired))}</pre>
            <div class="row">
              <button type="button" class="primary" onClick={() => rebase(changed)}>
                Put my change on top
              </button>
              <button type="button" onClick={reload}>
                Take theirs
              </button>
            </div>
          </section>
        )}
        <Plan plan={plan} dirty={dirty && object !== undefined} impossible={error !== undefined} />
        {error && <Notice>{error}</Notice>}
        <div class="row">
          <button
            type="button"
            class="primary"
            disabled={busy || !dirty || !object || !plan || isImpossible(plan) || session.value?.readOnly === true}
            onClick={() => void apply(base)}
          >
            {busy ? 'Applying …' : plan?.issues.some(({ severity }) => severity === 'error') ? 'Apply anyway' : 'Apply'}
          </button>
          <button type="button" disabled={busy || !dirty} onClick={() => setText(pretty(base.desired))}>
            Discard
          </button>
        </div>
        <Past module={module} etag={base.etag} locked={dirty || session.value?.readOnly === true} onDone={reload} />
      </aside>
    </div>
  );
}

function isImpossible({ refused, large }: ApiTwinPlan): boolean {
  return refused || large?.problem !== undefined;
}

function notObject(value: unknown): { message: string; line: number } | undefined {
  return value === undefined || isRecord(value) ? undefined : { message: 'A twin is a JSON object.', line: 1 };
}

/** Points of regions stay on a line each: there are many. */
const POINT = /\[\n\s+(-?[\d.e+-]+),\n\s+(-?[\d.e+-]+)\n\s+\]/gi;

function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(POINT, '[$1, $2]');
}
