import { messageOf, type StatusError } from '@vantage/contracts';
import type { EdgeModuleApi } from '@vantage/edge-client';
import { redact, type Logger } from '@vantage/observability';
import type { NodeProblem, NodeStatus } from './supervisor/status.ts';

/** Reported properties travel to the cloud: counts are refreshed this often, changes of state at once. */
const REFRESH_MS = 10_000;
const SOON_MS = 300;
/** IoT Hub keeps 32 KB of reported properties per module; 32 nodes with errors stay below it. */
const LIMITS = { issues: 10, messageChars: 240, pathChars: 160 } as const;

export interface HostReporterOptions {
  readonly edge: Pick<EdgeModuleApi, 'report'>;
  /** Address that nodes listen on. */
  readonly host: string;
  readonly status: () => readonly NodeStatus[];
  readonly logger: Logger;
}

/** Keeps the reported properties as the nodes are. */
export class HostReporter {
  readonly #options: HostReporterOptions;
  #configuration: Record<string, unknown> = {};
  #reported = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: HostReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#report(), REFRESH_MS);
    this.#report();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#timer = undefined;
  }

  configured(version: number | null, errors: readonly StatusError[], warnings: readonly StatusError[]): void {
    this.#configuration = { version, errors: listed(errors), warnings: listed(warnings) };
    this.reportSoon();
  }

  reportSoon(): void {
    if (this.#timer === undefined) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#report();
    }, SOON_MS);
  }

  #report(): void {
    const { edge, status, logger } = this.#options;
    const nodes: Record<string, unknown> = {};
    const names = new Set<string>();
    for (const { name, ...one } of status()) {
      names.add(name);
      nodes[name] = this.#describe(one);
    }
    // Null takes away what is no longer there.
    for (const name of this.#reported) if (!names.has(name)) nodes[name] = null;
    this.#reported = names;
    edge
      .report({ configuration: this.#configuration, nodes })
      .catch((error: unknown) => logger.warn(`reported properties not taken: ${messageOf(error)}`));
  }

  #describe({ port, route, error, rejected, ...status }: Omit<NodeStatus, 'name'>): Record<string, unknown> {
    const host = this.#options.host;
    return {
      // A patch keeps what it does not name.
      pid: null,
      memoryMiB: null,
      sha256: null,
      ...status,
      endpoint: port === 0 ? null : `${host}:${port}${route ?? ''}`,
      error: error === undefined ? null : shown(error),
      rejected: rejected === undefined ? null : shown(rejected),
    };
  }
}

function shown({ code, message, at }: NodeProblem): Record<string, string> {
  return { code, message: message.slice(0, LIMITS.messageChars), at };
}

/** Redacted before it is cut: a credential that is cut in two would no longer be recognised. */
function listed(issues: readonly StatusError[]): readonly StatusError[] {
  const items = issues.slice(0, LIMITS.issues).map(({ path, message }) => ({
    path: path.slice(0, LIMITS.pathChars),
    message: redact(message).slice(0, LIMITS.messageChars),
  }));
  const beyond = issues.length - items.length;
  return beyond === 0 ? items : [...items, { path: '', message: `${beyond} more; the module's log lists them.` }];
}
