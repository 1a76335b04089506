import { Fragment, type JSX } from 'preact';
import type { ApiTwinPlan } from '../../../../src/api.ts';
import { reasonOf } from '../../api.ts';
import { bytes } from '../../core/format.ts';
import { Badge, Notice } from '../../ui/parts.tsx';

const KINDS = { live: 'good', swap: 'good', add: 'plain', remove: 'warn', restart: 'warn' } as const;

interface Props {
  readonly plan: ApiTwinPlan | undefined;
  readonly dirty: boolean;
  /** It could not be made; why stands elsewhere. */
  readonly impossible: boolean;
}

/** What a change would do, before it is done. */
export function Plan({ plan, dirty, impossible }: Props): JSX.Element {
  return (
    <section class="card plan" aria-live="polite">
      <h2>Plan</h2>
      {!dirty && <p class="dim">Nothing is changed. Edit, and this tells what would happen.</p>}
      {dirty && !plan && <p class="dim">{impossible ? 'None can be made yet.' : 'Working it out …'}</p>}
      {dirty && plan?.refused && <Notice>The modules would refuse this as a whole; what runs goes on.</Notice>}
      {dirty && plan && !plan.refused && plan.effects.length === 0 && <p>No camera and no model notices.</p>}
      {dirty && plan && (
        <ul class="effects">
          {plan.effects.map(({ how, node, text }) => (
            <li key={`${node} ${text}`}>
              <Badge kind={KINDS[how]}>{how}</Badge> <strong>{node}</strong> {text}
            </li>
          ))}
        </ul>
      )}
      {dirty && plan?.large?.problem !== undefined && <Notice>{reasonOf(plan.large.problem)}</Notice>}
      {dirty && plan?.large && (
        <p class="large">
          A hub takes 32 KB of a twin.
          {plan.large.values.map(({ path, bytes: size }) => (
            <Fragment key={path}>
              {' '}
              <code>{path}</code> ({bytes(size)})
            </Fragment>
          ))}{' '}
          {plan.large.problem === undefined ? 'will lie' : 'would have to lie'} in blob storage, where the modules read
          it.
        </p>
      )}
      {dirty && plan && plan.issues.length > 0 && (
        <ul class="issues">
          {plan.issues.map(({ severity, path, message }) => (
            <li key={`${path} ${message}`} class={severity}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
