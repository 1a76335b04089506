import { isObject, pathOf, quote, Report, withoutNulls, type ConfigIssue } from '@vantage/contracts';
import type { NodeDefinition, NodeSource } from './definition.ts';
import { hostTwinSchema, MAX_NODES, NODE_DEFAULTS, nodeSchema } from './schema.ts';

export interface HostTwin {
  readonly nodes: readonly NodeDefinition[];
  /** Names of the twin's nodes, those that cannot be used included: what runs under such a name stays. */
  readonly named: ReadonlySet<string>;
  readonly logLevel?: string;
  readonly errors: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
const REMEDY = 'The node is left out; what ran under its name goes on.';

/** Reads the desired properties item by item: a node that is wrong is reported with its path and stops no other. */
export function readHostTwin(desired: unknown): HostTwin {
  const report = new Report();
  const twin = isObject(desired) ? withoutNulls(desired) : {};
  if (!isObject(desired)) report.error('', 'expected an object. It is ignored.');
  report.unknownKeys(twin, Object.keys(hostTwinSchema.shape), '');
  const logLevel = report.parse(hostTwinSchema.shape.logLevel, twin['logLevel'], 'logLevel', 'The level stays.');
  const items = itemsOf(twin['nodes'], report);
  const nodes: NodeDefinition[] = [];
  for (const [name, item] of items) {
    const node = readNode(name, item, report);
    if (node !== undefined && portIsFree(node, nodes, report)) nodes.push(node);
  }
  return {
    nodes,
    named: new Set(items.map(([name]) => name)),
    ...(logLevel === undefined ? {} : { logLevel }),
    errors: report.errors,
    warnings: report.warnings,
  };
}

function itemsOf(value: unknown, report: Report): [string, unknown][] {
  if (value === undefined) return [];
  if (!isObject(value)) {
    report.error('nodes', 'expected an object of nodes by name. It is ignored.');
    return [];
  }
  const items = Object.entries(withoutNulls(value));
  if (items.length > MAX_NODES) {
    report.error('nodes', `${items.length} nodes; only the first ${MAX_NODES} are used. Start a second host.`);
  }
  return items.slice(0, MAX_NODES);
}

function readNode(name: string, item: unknown, report: Report): NodeDefinition | undefined {
  const path = pathOf('nodes', name);
  if (!NAME.test(name)) {
    const rule = 'begins with a letter and goes on with letters, digits, - and _, at most 63 in all';
    report.error(path, `${quote(name)} is no name of a node: it ${rule}. ${REMEDY}`);
    return undefined;
  }
  const cleaned = isObject(item) ? withoutNulls(item) : item;
  const parsed = report.parse(nodeSchema, cleaned, path, REMEDY);
  if (isObject(cleaned)) report.unknownKeys(cleaned, Object.keys(nodeSchema.shape), path);
  if (parsed === undefined) return undefined;
  const { builtin, folder, zip, language, entry, route, token, tls, settings, ...rest } = parsed;
  const sources: NodeSource[] = [];
  if (builtin !== undefined) sources.push({ kind: 'builtin', builtin });
  if (folder !== undefined) sources.push({ kind: 'folder', folder });
  if (zip !== undefined) {
    sources.push({ kind: 'zip', url: zip.url, ...(zip.sha256 === undefined ? {} : { sha256: zip.sha256 }) });
  }
  const [source] = sources;
  if (source === undefined || sources.length > 1) {
    const found = source === undefined ? 'none' : sources.map(({ kind }) => kind).join(' and ');
    report.error(path, `a node has exactly one of builtin, folder and zip; found ${found}. ${REMEDY}`);
    return undefined;
  }
  if (source.kind === 'builtin' && (entry !== undefined || language !== undefined)) {
    report.warn(path, 'entry and language say nothing about a built-in node.');
  }
  return {
    ...NODE_DEFAULTS,
    ...defined(rest),
    name,
    source,
    port: parsed.port,
    settings: settings ?? {},
    env: parsed.env ?? {},
    ...defined({ language, entry, route, token, tls }),
  };
}

function portIsFree(node: NodeDefinition, before: readonly NodeDefinition[], report: Report): boolean {
  const other = node.port === 0 ? undefined : before.find(({ port }) => port === node.port);
  if (other === undefined) return true;
  report.error(pathOf('nodes', node.name, 'port'), `port ${node.port} is that of ${quote(other.name)}. ${REMEDY}`);
  return false;
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** The object without keys that are undefined. */
function defined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<Defined<T>>;
}
