import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { isRecord, pathOf, type Step } from '../../core/locate.ts';
import {
  blank,
  controlOf,
  fieldsOf,
  issuesAt,
  itemSchema,
  labelOf,
  nameOf,
  narrowed,
  type Issue,
  type Schema,
} from '../../core/schema-form.ts';
import { Icon } from '../../ui/icons.tsx';

interface Props {
  readonly name: string;
  readonly path: readonly Step[];
  readonly schema: Schema | undefined;
  readonly value: unknown;
  readonly issues: readonly Issue[];
  readonly open?: boolean;
  /** Undefined takes the field away. */
  readonly onChange: (value: unknown) => void;
}

/** One value of the twin, with the control that its schema asks for, and what is wrong with it beside it. */
export function Field(props: Props): JSX.Element {
  const { path, schema, value, issues } = props;
  const control = controlOf(schema, value);
  if (control === 'object') return <ObjectField {...props} />;
  if (control === 'list') return <ListField {...props} />;
  const own = issuesAt(issues, pathOf(path), control === 'json');
  const id = `f-${pathOf(path)}`;
  const { description } = schema ?? {};
  return (
    <div class="field">
      <label for={id}>{props.name}</label>
      <Control {...props} control={control} id={id} invalid={own.some(({ severity }) => severity === 'error')} />
      {description && (
        <small class="dim" id={`${id}-d`}>
          {description}
        </small>
      )}
      <Issues issues={own} />
    </div>
  );
}

interface ControlProps extends Props {
  readonly control: string;
  readonly id: string;
  readonly invalid: boolean;
}

function Control(props: ControlProps): JSX.Element {
  const { control, id, invalid, path, schema, value, onChange } = props;
  const chosen = narrowed(schema, value);
  const common = { id, 'aria-invalid': invalid, 'aria-describedby': `${id}-d` };
  switch (control) {
    case 'switch':
      return (
        <input
          {...common}
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <input
          {...common}
          type="number"
          step="any"
          value={typeof value === 'number' ? value : ''}
          onInput={(event) => {
            const number = event.currentTarget.valueAsNumber;
            if (Number.isFinite(number)) onChange(number);
          }}
        />
      );
    case 'choice':
      return (
        <select {...common} value={String(value)} onChange={(event) => onChange(event.currentTarget.value)}>
          {(chosen?.enum ?? []).map((one) => (
            <option key={String(one)}>{String(one)}</option>
          ))}
        </select>
      );
    case 'text': {
      const typed = typeof value === 'string' ? value : '';
      if (/password$|secret$|token$/i.test(String(path.at(-1))))
        return (
          <input
            {...common}
            type="password"
            autocomplete="off"
            value={typed}
            // What was not shown is typed as a whole: in place of the mask, not behind it.
            onFocus={(event) => event.currentTarget.select()}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
        );
      const examples = (chosen?.examples ?? []).filter((one): one is string => typeof one === 'string');
      return (
        <>
          <input
            {...common}
            type="text"
            list={examples.length > 0 ? `${id}-e` : undefined}
            value={typed}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {examples.length > 0 && (
            <datalist id={`${id}-e`}>
              {examples.map((one) => (
                <option key={one} value={one} />
              ))}
            </datalist>
          )}
        </>
      );
    }
    default:
      return <RawField id={id} value={value} onChange={onChange} />;
  }
}

/** A value without a form of its own, as JSON; only JSON that can be read gets out. */
function RawField({
  id,
  value,
  onChange,
}: {
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
}): JSX.Element {
  const [text, setText] = useState(() => JSON.stringify(value ?? null));
  const [wrong, setWrong] = useState(false);
  return (
    <>
      <input
        id={id}
        type="text"
        class="mono"
        value={text}
        aria-invalid={wrong}
        onInput={(event) => {
          const typed = event.currentTarget.value;
          setText(typed);
          try {
            onChange(JSON.parse(typed));
            setWrong(false);
          } catch {
            setWrong(true);
          }
        }}
      />
      {wrong && <small class="fault">This is not JSON yet.</small>}
    </>
  );
}

function ObjectField(props: Props): JSX.Element {
  const { name, path, schema, value, issues, open = false, onChange } = props;
  const chosen = narrowed(schema, value);
  const object = isRecord(value) ? value : {};
  const fields = fieldsOf(chosen, object);
  const there = fields.filter(({ key }) => Object.hasOwn(object, key));
  const missing = fields.filter(({ key }) => !Object.hasOwn(object, key));
  const wrong = issuesAt(issues, pathOf(path), true).length;
  const body = (
    <>
      <Issues issues={path.length === 0 ? [] : issuesAt(issues, pathOf(path))} />
      {there.map(({ key, schema: inner }) => (
        <Field
          key={key}
          name={labelOf(key)}
          path={[...path, key]}
          schema={inner}
          value={object[key]}
          issues={issues}
          open={path.length < 2}
          onChange={(next) => {
            const rest = Object.fromEntries(Object.entries(object).filter(([one]) => one !== key));
            onChange(next === undefined ? rest : { ...object, [key]: next });
          }}
        />
      ))}
      {missing.length > 0 && (
        <select
          class="add"
          aria-label={`Add a setting to ${name}`}
          value=""
          onChange={(event) => {
            const field = missing.find(({ key }) => key === event.currentTarget.value);
            event.currentTarget.value = '';
            if (field) onChange({ ...object, [field.key]: blank(field.schema) });
          }}
        >
          <option value="">+ setting</option>
          {missing.map(({ key }) => (
            <option key={key}>{key}</option>
          ))}
        </select>
      )}
    </>
  );
  if (path.length === 0) return <div class="form">{body}</div>;
  return (
    <details class="group" open={open || wrong > 0}>
      <summary>
        {name}
        {wrong > 0 && <span class="badge bad">{wrong}</span>}
      </summary>
      {schema?.description && <small class="dim">{schema.description}</small>}
      {body}
    </details>
  );
}

function ListField(props: Props): JSX.Element {
  const { name, path, schema, value, issues, onChange } = props;
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const inner = itemSchema(narrowed(schema, value));
  const wrong = issuesAt(issues, pathOf(path), true).length;
  return (
    <details class="group" open={path.length < 4 || wrong > 0}>
      <summary>
        {name} <span class="count">{list.length}</span>
        {wrong > 0 && <span class="badge bad">{wrong}</span>}
      </summary>
      <Issues issues={issuesAt(issues, pathOf(path))} />
      {list.map((item, index) => (
        <div class="item" key={index}>
          <Field
            name={nameOf(item, index)}
            path={[...path, index]}
            schema={inner}
            value={item}
            issues={issues}
            onChange={(next) => onChange(next === undefined ? list.toSpliced(index, 1) : list.with(index, next))}
          />
          <button type="button" class="icon-button" onClick={() => onChange(list.toSpliced(index, 1))}>
            <Icon name="trash" size={16} />
            <span class="hidden-text">Remove {nameOf(item, index)}</span>
          </button>
        </div>
      ))}
      <button type="button" class="small" onClick={() => onChange([...list, blank(inner)])}>
        <Icon name="plus" size={14} /> {name}
      </button>
    </details>
  );
}

function Issues({ issues }: { issues: readonly Issue[] }): JSX.Element {
  return (
    <>
      {issues.map(({ severity, message }) => (
        <small key={message} class={severity === 'error' ? 'fault' : 'warned'} role="alert">
          {message}
        </small>
      ))}
    </>
  );
}
