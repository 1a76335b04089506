import type { JSX } from 'preact';
import type { ApiClipSource, ApiModuleHealth } from '../../../src/api.ts';
import { api, reasonOf } from '../api.ts';
import { bytes } from '../core/format.ts';
import { isRecord } from '../core/locate.ts';
import { Badge, Empty, Heading, kindOf, Notice } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';

export function HealthPage(): JSX.Element {
  const { value: health, error } = useLoaded(api.health, [], 2000);
  return (
    <>
      <Heading title="Health" />
      {error && <Notice>{error}</Notice>}
      {health?.runtime.problem && <Notice>{reasonOf(health.runtime.problem.message)}</Notice>}
      {!health && !error && <p class="dim">Loading …</p>}
      {health && (
        <>
          <div class="tiles small">
            {health.modules
              .toSorted((a, b) => weight(b) - weight(a))
              .map((module) => (
                <ModuleCard key={module.name} module={module} />
              ))}
            {health.modules.length === 0 && !health.runtime.problem && (
              <Empty title="No module is reported by this device." />
            )}
          </div>
          <h2 class="section">Evidence</h2>
          <div class="tiles small">
            <SourceCard name="Recordings on the device" source={health.recordings} />
            <SourceCard name="Storage" source={health.storage} />
            {!health.runtime.problem && <Uploader reported={health.uploader} />}
          </div>
        </>
      )}
    </>
  );
}

function ModuleCard({ module }: { module: ApiModuleHealth }): JSX.Element {
  const { name, state, provider, restarts, problems, metrics } = module;
  return (
    <article class="card">
      <h2>
        {name} <Badge kind={kindOf(state)}>{state}</Badge>
      </h2>
      <p class="dim">
        {[provider && `runs on ${provider}`, restarts !== undefined && `${restarts} restarts`]
          .filter(Boolean)
          .join(' · ')}
      </p>
      {problems.map((problem) => (
        <Notice key={`${problem.code ?? ''} ${problem.message}`} kind="warn">
          {problem.message} {problem.path && <code>{problem.path}</code>}
        </Notice>
      ))}
      {bySubject(metrics).map(([subject, numbers]) => (
        <Numbers key={subject} subject={subject} numbers={numbers} />
      ))}
    </article>
  );
}

interface NumbersProps {
  readonly subject: string;
  readonly numbers: readonly (readonly [string, number])[];
}

function Numbers({ subject, numbers }: NumbersProps): JSX.Element {
  return (
    <table class="numbers">
      <caption>{subject}</caption>
      <tbody>
        {numbers.map(([name, value]) => (
          <tr key={name} class={/drop|fail|error|lost/i.test(name) && value > 0 ? 'raised' : ''}>
            <th scope="row">
              {name.split('.').map((part, index) => (
                <span key={index}>
                  {index > 0 && '.'}
                  {part}
                  <wbr />
                </span>
              ))}
            </th>
            <td>{Number.isInteger(value) ? value.toLocaleString() : value.toFixed(2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Numbers by what their names begin with: the camera. */
function bySubject(metrics: Readonly<Record<string, number>>): [string, (readonly [string, number])[]][] {
  const found = new Map<string, (readonly [string, number])[]>();
  for (const [key, value] of Object.entries(metrics)) {
    const at = key.indexOf('.');
    const subject = key.slice(0, Math.max(0, at));
    const list = found.get(subject) ?? [];
    list.push([key.slice(at + 1), value]);
    found.set(subject, list);
  }
  return [...found];
}

function SourceCard({ name, source }: { name: string; source: ApiClipSource }): JSX.Element {
  return (
    <article class="card">
      <h2>
        {name} <Badge kind={kindOf(source.state)}>{source.state}</Badge>
      </h2>
      {source.message && <p class="dim">{source.message}</p>}
    </article>
  );
}

function Uploader({ reported }: { reported: Readonly<Record<string, unknown>> | null }): JSX.Element {
  const backlog = isRecord(reported?.['backlog']) ? reported['backlog'] : {};
  const uploaded = isRecord(reported?.['uploaded']) ? reported['uploaded'] : {};
  const storage = isRecord(reported?.['storage']) ? reported['storage'] : {};
  const state = typeof storage['state'] === 'string' ? storage['state'] : reported ? 'unknown' : 'off';
  return (
    <article class="card">
      <h2>
        Upload <Badge kind={kindOf(state)}>{state}</Badge>
      </h2>
      {!reported && <p class="dim">No VideoUploader is deployed: clips stay on the device.</p>}
      {typeof storage['error'] === 'string' && <Notice kind="warn">{storage['error']}</Notice>}
      {reported && (
        <dl class="figures">
          <div>
            <dt>waiting</dt>
            <dd>{number(backlog['clips'])}</dd>
          </div>
          <div>
            <dt>of them</dt>
            <dd>{bytes(number(backlog['bytes']))}</dd>
          </div>
          <div>
            <dt>uploaded</dt>
            <dd>{number(uploaded['clips'])}</dd>
          </div>
        </dl>
      )}
    </article>
  );
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Those that have something to say come first. */
function weight({ problems, metrics }: ApiModuleHealth): number {
  return problems.length * 1000 + Object.keys(metrics).length;
}
