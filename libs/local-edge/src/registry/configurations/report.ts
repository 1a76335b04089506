import type { HubDocuments } from '../documents.ts';
import { parseQuery } from '../query/parser.ts';
import { countRows, type Row } from '../query/run.ts';
import type { Configuration } from './types.ts';
import { readTarget } from './validate.ts';

type RowsOf = (container: 'devices' | 'devices.modules') => readonly Row[];

/** A configuration as a service gets it, with its metrics counted now. */
export class ConfigurationReport {
  readonly #rowsOf: RowsOf;

  /** Twins are read once for all configurations and metrics of a report. */
  constructor(documents: HubDocuments) {
    const rows = new Map<string, readonly Row[]>();
    this.#rowsOf = (container) => {
      const known = rows.get(container) ?? documents.twins(container);
      rows.set(container, known);
      return known;
    };
  }

  of(configuration: Configuration): Record<string, unknown> {
    const { metricQueries, sequence, ...rest } = configuration;
    void sequence;
    const systemQueries = systemMetricQueries(configuration);
    return {
      ...rest,
      systemMetrics: { results: this.#count(systemQueries), queries: systemQueries },
      metrics: { results: this.#count(metricQueries), queries: metricQueries },
    };
  }

  #count(queries: Readonly<Record<string, string>>): Record<string, number> {
    return Object.fromEntries(
      Object.entries(queries).map(([name, text]) => {
        const query = parseQuery(text);
        return [name, countRows(query, this.#rowsOf(query.container === 'devices' ? 'devices' : 'devices.modules'))];
      }),
    );
  }
}

/** IoT Hub's own metrics, as queries that anybody can run. */
function systemMetricQueries(configuration: Configuration): Record<string, string> {
  const { kind, none } = readTarget(configuration);
  const { id, targetCondition } = configuration;
  const applied = `configurations.[[${id}]].status = 'Applied'`;
  const text = targetCondition.trim();
  if (kind === 'module') {
    const from = 'SELECT deviceId, moduleId FROM devices.modules WHERE';
    const condition = none ? 'false' : text.replace(/^FROM\s+devices\.modules\s+WHERE\s/i, '');
    return { targetedCount: `${from} ${condition}`, appliedCount: `${from} ${applied}` };
  }
  const condition = text === '*' ? 'true' : text;
  const conditions = [...(kind === 'edge' ? ['capabilities.iotEdge = true'] : []), none ? 'false' : `(${condition})`];
  const counts = {
    targetedCount: `SELECT deviceId FROM devices WHERE ${conditions.join(' AND ')}`,
    appliedCount: `SELECT deviceId FROM devices WHERE ${applied}`,
  };
  if (kind !== 'edge') return counts;
  // As on real devices: what counts is what edgeAgent says of the deployment it has now.
  const agents = `SELECT deviceId FROM devices.modules WHERE moduleId = '$edgeAgent' AND ${applied}`;
  const latest = 'properties.desired.$version = properties.reported.lastDesiredVersion';
  const code = 'properties.reported.lastDesiredStatus.code';
  return {
    ...counts,
    reportedSuccessfulCount: `${agents} AND ${latest} AND ${code} = 200`,
    reportedFailedCount: `${agents} AND ${latest} AND ${code} != 200`,
  };
}
