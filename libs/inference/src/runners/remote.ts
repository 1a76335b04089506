import { remoteAddressInvalid, remoteModelUnknown, remoteUnavailable } from '../errors.ts';
import type { ModelSpec, RemoteModel } from '../model-spec.ts';
import { OpenInferenceClient, failureOf } from './remote/client.ts';
import { RemoteRunner, isUnknownModel } from './remote/remote-runner.ts';
import type { RunnerOptions, TensorRunner } from './runner.ts';

export interface RemoteOptions extends RunnerOptions {
  /** How long a server that does not answer is waited for. Default 10 s. */
  readonly openMs?: number;
}

const OPEN_MS = 10_000;
const RUN_MS = 5000;

/** Triton's gRPC port. */
const DEFAULT_PORT = 8001;

/**
 * A model on a server that speaks the Open Inference Protocol v2 over gRPC: Triton, KServe, OpenVINO Model Server.
 * `host:port` and `grpc://` are without, `grpcs://` with encryption.
 *
 * @throws VantageError `REMOTE_ADDRESS_INVALID`, `REMOTE_UNAVAILABLE`, `REMOTE_MODEL_UNKNOWN`
 */
export async function openRemote(remote: RemoteModel, spec: ModelSpec, options: RemoteOptions): Promise<TensorRunner> {
  const { address, secure } = parseAddress(remote.url, spec.name);
  const client = new OpenInferenceClient(address, secure);
  try {
    const openMs = options.openMs ?? OPEN_MS;
    const started = performance.now();
    await client.waitForReady(openMs);
    const left = (): number => Math.max(1000, openMs - (performance.now() - started));
    const version = remote.version === undefined || remote.version < 0 ? '' : String(remote.version);
    const metadata = await client.modelMetadata({ name: remote.model, version }, left());
    // Only said for the report: some servers do not tell.
    const server = await client.serverMetadata(left()).catch(() => ({ name: '', version: '' }));
    return new RemoteRunner(client, {
      address,
      model: remote.model,
      version,
      metadata,
      server: `${server.name} ${server.version}`.trim(),
      deadlineMs: remote.deadlineMs ?? RUN_MS,
    });
  } catch (error) {
    client.close();
    const { code, reason } = failureOf(error);
    throw isUnknownModel(code, reason)
      ? remoteModelUnknown(remote.model, address, reason)
      : remoteUnavailable(remote.model, address, reason);
  }
}

function parseAddress(url: string, model: string): { readonly address: string; readonly secure: boolean } {
  const parts = /^(?:(grpcs?):\/\/)?(\[[0-9a-f:.]+\]|[^\s:/[\]@]+)(?::(\d{1,5}))?\/?$/i.exec(url.trim());
  const port = Number(parts?.[3] ?? DEFAULT_PORT);
  if (!parts || port < 1 || port > 65_535) throw remoteAddressInvalid(model, url);
  return { address: `${parts[2] ?? ''}:${port}`, secure: parts[1]?.toLowerCase() === 'grpcs' };
}
