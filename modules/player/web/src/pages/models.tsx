import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { ApiModelReport } from '../../../src/api.ts';
import { api, reasonOf, session } from '../api.ts';
import { bytes, kept } from '../core/format.ts';
import { isRecord } from '../core/locate.ts';
import { Icon } from '../ui/icons.tsx';
import { Badge, Heading, Notice, tell } from '../ui/parts.tsx';
import { useLoaded } from '../ui/use.ts';

export function ModelsPage(): JSX.Element {
  const { value: cameras } = useLoaded(api.cameras, []);
  const [file, setFile] = useState<File>();
  const [report, setReport] = useState<ApiModelReport>();
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [pipeline, setPipeline] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const pipelines = [...new Set((cameras ?? []).map((camera) => camera.pipeline))].filter((name) => name !== '');
  const target = pipeline ?? pipelines[0];

  const check = async (zip: File | undefined): Promise<void> => {
    if (!zip || busy) return;
    setFile(zip);
    setReport(undefined);
    setError(undefined);
    if (!/\.zip$/i.test(zip.name)) return setError('Expected a zip with a folder of model files (docs/models.md).');
    setBusy(true);
    try {
      setReport(await api.checkModel(zip));
    } catch (fault) {
      setError(reasonOf(fault));
    }
    setBusy(false);
  };
  const use = async (id: string, name: string): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const { large } = await api.useModel(id, name);
      tell(
        `${name} changes to this model: it loads beside the old one and takes over at a frame boundary.${kept(large)}`,
      );
    } catch (fault) {
      setError(reasonOf(fault));
    }
    setBusy(false);
  };
  return (
    <>
      <Heading title="Models" />
      <div
        class={over ? 'drop over' : 'drop'}
        onDragOver={(event) => (event.preventDefault(), setOver(true))}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void check(event.dataTransfer?.files[0]);
        }}
      >
        <Icon name="models" size={36} />
        <p>
          <strong>Drop a model's zip here</strong>
          <br />
          <span class="dim">a folder with an nvinfer configuration, the ONNX file, labels and perhaps a parser</span>
        </p>
        <button type="button" onClick={() => input.current?.click()} disabled={busy}>
          Choose a file
        </button>
        <input
          ref={input}
          type="file"
          accept=".zip,application/zip"
          class="hidden-text"
          tabIndex={-1}
          aria-label="Zip of a model"
          onChange={(event) => void check(event.currentTarget.files?.[0])}
        />
      </div>
      <div aria-live="polite">
        {busy && <p class="dim">Working on {file?.name} … it is loaded and run once, which takes a while.</p>}
        {error && <Notice>{error}</Notice>}
        {report && file && (
          <section class="card report">
            <h2>
              {file.name}{' '}
              <Badge kind={report.ok ? 'good' : 'bad'}>{report.ok ? 'can be used' : 'cannot be used'}</Badge>
            </h2>
            <p class="dim">
              {bytes(file.size)} {report.config && `· ${report.config}`}
            </p>
            {report.id !== undefined && report.ok && (
              <div class="row">
                <label class="field inline">
                  <span>Use it for</span>
                  <select value={target} onChange={(event) => setPipeline(event.currentTarget.value)}>
                    {pipelines.map((name) => (
                      <option key={name}>{name}</option>
                    ))}
                  </select>
                </label>
                <button
                  type="button"
                  class="primary"
                  disabled={busy || target === undefined || session.value?.readOnly === true}
                  onClick={() => target !== undefined && report.id !== undefined && void use(report.id, target)}
                >
                  Use this model
                </button>
              </div>
            )}
            <Report value={report.report} />
          </section>
        )}
      </div>
    </>
  );
}

/** A report as what it is: names and what is said of them, lists as lists. Values are text, never markup. */
function Report({ value, depth = 0 }: { value: unknown; depth?: number }): JSX.Element {
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one !== 'object' || one === null))
      return <span>{value.map(String).join(', ') || 'none'}</span>;
    return (
      <ul class="report-list">
        {(value as unknown[]).slice(0, 100).map((one, index) => (
          <li key={index}>
            <Report value={one} depth={depth + 1} />
          </li>
        ))}
      </ul>
    );
  }
  if (isRecord(value) && depth < 6) {
    const shown = Object.entries(value).filter(([key, one]) => one !== null && one !== undefined && key !== 'given');
    const severity = typeof value['severity'] === 'string' ? value['severity'] : undefined;
    const message = value['message'];
    if (severity !== undefined && typeof message === 'string')
      return (
        <span>
          <Badge kind={severity === 'error' ? 'bad' : severity === 'warning' ? 'warn' : 'plain'}>{severity}</Badge>{' '}
          {message}
        </span>
      );
    return (
      <dl class="report-values">
        {shown.map(([key, one]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>
              <Report value={one} depth={depth + 1} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  return <span>{typeof value === 'string' ? fileName(value) : JSON.stringify(value)}</span>;
}

/** Where the server unpacked a zip is nobody's business: of its paths the last part is what people know. */
function fileName(text: string): string {
  return /^\/\S+$/.test(text) ? text.slice(text.lastIndexOf('/') + 1) : text;
}
