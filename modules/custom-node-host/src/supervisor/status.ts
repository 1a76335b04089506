import { codeOf, messageOf } from '@vantage/contracts';
import { showAddress } from '@vantage/model-store';
import { redact } from '@vantage/observability';
import type { Language, NodeDefinition } from '../twin/definition.ts';
import type { CallCounts } from './call-statistics.ts';

export interface NodeProblem {
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

/** `failed`: nothing serves, it is tried again. */
export type NodeState = 'starting' | 'running' | 'failed' | 'stopped';

/** How a hosted node is. */
export interface NodeStatus extends CallCounts {
  readonly name: string;
  readonly state: NodeState;
  /** `builtin flip`, `folder /nodes/mine`, `zip https://...` without anything secret. */
  readonly source: string;
  readonly language?: Language;
  /** Digest of the zip that runs. */
  readonly sha256?: string;
  /** 0 before it is known. */
  readonly port: number;
  readonly route?: string;
  readonly pid?: number;
  /** Processes that were started in place of one that ended by itself. */
  readonly restarts: number;
  /** New versions that took over. */
  readonly reloads: number;
  /** `open`: calls are refused for a while, because many in a row have failed. */
  readonly circuit: 'closed' | 'open';
  /** Private memory. */
  readonly memoryMiB?: number;
  /** What went wrong last with the node that runs or should run. */
  readonly error?: NodeProblem;
  /** Why the newest version is not used; the one before goes on. */
  readonly rejected?: NodeProblem;
}

/** An error as it is reported: redacted, bounded. */
export function problemOf(error: unknown): NodeProblem {
  const code = codeOf(error) ?? 'HOSTED_NODE_LOAD_FAILED';
  return { code, message: redact(messageOf(error)).slice(0, 500), at: new Date().toISOString() };
}

/** Where the code comes from, without anything secret. */
export function sourceText({ source }: NodeDefinition): string {
  switch (source.kind) {
    case 'builtin':
      return `builtin ${source.builtin}`;
    case 'folder':
      return `folder ${source.folder}`;
    case 'zip':
      return `zip ${showAddress(source.url)}`;
  }
}
