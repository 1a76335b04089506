import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { VantageError, messageOf } from '@vantage/contracts';
import { HostedNode, readHostTwin, type NodeDefinition, type NodeStatus } from '@vantage/custom-node-host';
import { ModelStore } from '@vantage/model-store';
import { Metrics, createLogger } from '@vantage/observability';
import { untilSignal } from '../../until-signal.ts';
import { linkSdk } from '../create/create-node.ts';

export interface RunNodeOptions {
  /** Folder, file, zip, or the name of a built-in node. */
  readonly subject: string;
  readonly port: number;
  readonly host: string;
  /** JSON, or @file. */
  readonly settings?: string;
  readonly deadline?: number;
  readonly memory?: number;
  readonly inFlight?: number;
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly seconds?: number;
  /** Each change as one JSON line. */
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Serves a node as custom-node-host does, until Ctrl-C: loaded again when a file changes, started again when it ends. */
export async function runNode(options: RunNodeOptions): Promise<void> {
  const definition = await defineNode(options);
  if (definition.source.kind === 'folder') await prepareFolder(definition.source.folder);
  // What user code prints, and what goes wrong in it, is the point of this command: the log goes to the terminal.
  const logger = createLogger({
    module: 'node',
    level: options.verbose ? 'debug' : 'information',
    destination: { write: (line) => process.stderr.write(readable(line)) },
  });
  const until = untilSignal(options.seconds);
  const report = createReport(options);
  const node = new HostedNode({
    name: definition.name,
    host: options.host,
    root: process.cwd(),
    store: new ModelStore({ root: path.join(tmpdir(), 'vantage-node-run'), logger }),
    logger,
    metrics: new Metrics(),
    onChange: () => report(node.status),
  });
  try {
    node.apply(definition);
    if (!until.signal.aborted)
      await new Promise((resolve) => until.signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    until.release();
    await node.stop();
  }
}

/**
 * What is to be run, in the words of the host's twin, so that both mean the same.
 *
 * @throws VantageError NODE_RUN_INVALID with what is wrong and where
 */
export async function defineNode(options: RunNodeOptions): Promise<NodeDefinition> {
  const source = await sourceOf(options.subject);
  const { port, deadline, memory, inFlight, token, cert, key } = options;
  const settings = options.settings === undefined ? undefined : await readSettings(options.settings);
  if ((cert === undefined) !== (key === undefined))
    throw new VantageError('NODE_RUN_INVALID', 'TLS needs --cert and --key');
  const { nodes, errors } = readHostTwin({
    nodes: {
      node: {
        ...source,
        port,
        ...(settings === undefined ? {} : { settings }),
        ...(deadline === undefined ? {} : { deadlineMs: deadline }),
        ...(memory === undefined ? {} : { memoryMiB: memory }),
        ...(inFlight === undefined ? {} : { maxInFlight: inFlight }),
        ...(token === undefined ? {} : { token }),
        ...(cert === undefined || key === undefined
          ? {}
          : { tls: { certFile: path.resolve(cert), keyFile: path.resolve(key) } }),
      },
    },
  });
  const [definition] = nodes;
  if (definition !== undefined) return definition;
  const reasons = errors.map((issue) => `${issue.path}: ${issue.message}`).join(' ');
  throw new VantageError('NODE_RUN_INVALID', `${options.subject} cannot be run: ${reasons}`);
}

async function sourceOf(subject: string): Promise<Record<string, unknown>> {
  const file = path.resolve(subject);
  const info = await stat(file).catch(() => undefined);
  if (info?.isDirectory()) return { folder: file };
  if (info && path.extname(file) === '.zip') return { zip: { url: file } };
  if (info) return { folder: path.dirname(file), entry: path.basename(file) };
  // A name without a path may be a built-in node; the twin's own check says which there are.
  if (/^[a-z-]+$/.test(subject)) return { builtin: subject };
  throw new VantageError('INPUT_MISSING', `${subject} does not exist`);
}

async function readSettings(given: string): Promise<unknown> {
  try {
    return JSON.parse(given.startsWith('@') ? await readFile(given.slice(1), 'utf8') : given);
  } catch (error) {
    throw new VantageError('NODE_RUN_INVALID', `--settings is no JSON: ${messageOf(error)}`);
  }
}

/** A folder that came from another machine has no link to the SDK yet: its tests and an editor want it. */
async function prepareFolder(folder: string): Promise<void> {
  const isPackage = await stat(path.join(folder, 'package.json')).then(
    (info) => info.isFile(),
    () => false,
  );
  if (isPackage) await linkSdk(folder).catch(() => undefined);
}

/** What the report says already. */
const REPORTED = / node node (?:runs|has a new version) \{/;

/** A log line without what only a collector of logs needs: priority, module and fields. */
function readable(line: string): string {
  if (REPORTED.test(line)) return '';
  const message = /^<\d> \S+ (\S+) \S+ \[node\] (?:node node )?(.*?)(?: \{"nodeId".*\})?\n?$/s.exec(line);
  return message ? `${message[1]} ${message[2]}\n` : line;
}

/** Prints what has changed since the last look. */
function createReport({ host, json }: RunNodeOptions): (status: NodeStatus) => void {
  let last: { state?: string; pid?: number | undefined; error?: string | undefined; rejected?: string | undefined } =
    {};
  return (status) => {
    const { state, pid, error, rejected, port, language = 'built in' } = status;
    const now = { state, pid, error: error?.at, rejected: rejected?.at };
    const isSame =
      now.state === last.state && now.pid === last.pid && now.error === last.error && now.rejected === last.rejected;
    if (isSame) return;
    const line = (): string | undefined => {
      if (rejected && now.rejected !== last.rejected) return `the new version is not used: ${rejected.message}`;
      if (error && now.error !== last.error) return error.message;
      if (state === 'running' && now.pid !== last.pid)
        return last.pid === undefined
          ? `listening on ${host}:${port} (${language}, process ${pid})`
          : `loaded again (process ${pid})`;
      return undefined;
    };
    const text = line();
    last = now;
    if (json) process.stdout.write(`${JSON.stringify({ state, port, pid, text })}\n`);
    else if (text !== undefined) process.stdout.write(`${text.replaceAll(/[^\P{Cc}\n\t]/gu, ' ')}\n`);
  };
}
