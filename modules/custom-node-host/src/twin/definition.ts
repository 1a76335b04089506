import type { JsonObject } from '@vantage/contracts';
import type { BuiltinName } from '../builtin/names.ts';

export type Language = 'typescript' | 'javascript' | 'python';

/** Where the code of a node comes from. The URL may hold a credential: `redact` it. */
export type NodeSource =
  | { readonly kind: 'builtin'; readonly builtin: BuiltinName }
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'zip'; readonly url: string; readonly sha256?: string };

/** A node as its twin wants it: validated, defaults filled in. Immutable, plain data. */
export interface NodeDefinition {
  readonly name: string;
  readonly source: NodeSource;
  readonly language?: Language;
  readonly entry?: string;
  /** 0: a free one. */
  readonly port: number;
  /** Only shown: gRPC has no routes. */
  readonly route?: string;
  readonly settings: JsonObject;
  readonly deadlineMs: number;
  /** Private memory of the process. */
  readonly memoryMiB: number;
  readonly maxInFlight: number;
  readonly env: Readonly<Record<string, string>>;
  /** A secret. */
  readonly token?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}
