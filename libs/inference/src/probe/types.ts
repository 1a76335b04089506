import type { ExecutionProvider } from '../runners/runner.ts';

/** Whether a model really runs on a provider, tried with one. */
export interface ProviderTry {
  readonly provider: ExecutionProvider;
  readonly works: boolean;
  /** What ONNX Runtime says where it does not. */
  readonly reason?: string;
}

/** What ONNX Runtime can run on here. */
export interface RuntimeProbe {
  /** ONNX Runtime in this program, as npm installed it. */
  readonly inProcess: { readonly version: string; readonly providers: readonly ProviderTry[] };
  /** The package of a Python on this machine. */
  readonly sidecar:
    | {
        readonly version: string;
        readonly python: string;
        readonly providers: readonly ProviderTry[];
      }
    | { readonly missing: string };
}
