import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runtimeProbeFailed } from '../errors.ts';
import type { RuntimeProbe } from './types.ts';

/** TensorRT builds an engine for the model that is tried. */
const DEADLINE_MS = 120_000;

/**
 * Finds out what models can run on, by running one: in this program's ONNX Runtime and in a sidecar's. Takes a second
 * or two, in processes of its own.
 *
 * @throws VantageError `RUNTIME_PROBE_FAILED` when not even the processor can run a model
 */
export async function probeRuntimes(): Promise<RuntimeProbe> {
  const script = fileURLToPath(new URL('try-providers.ts', import.meta.url));
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', script],
      { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' }, timeout: DEADLINE_MS, maxBuffer: 1 << 20 },
    );
    return explained(JSON.parse(stdout) as RuntimeProbe, stderr);
  } catch (error) {
    const { stderr = '', signal, message } = error as { stderr?: string; signal?: unknown; message: string };
    const said = stderr.split('\n').find((line) => line.includes('Error')) ?? message.split('\n')[0] ?? '';
    throw runtimeProbeFailed(typeof signal === 'string' ? `its process ended with ${signal}` : said.trim(), error);
  }
}

/** The binding says only that a library was not loaded; which one, and what it lacks, goes to the standard error. */
function explained(probe: RuntimeProbe, stderr: string): RuntimeProbe {
  const complaints = [...stderr.matchAll(/Failed to load library \S+ with error: (?:\S*\/)?(.+)/g)].map(
    (match) => match[1] ?? '',
  );
  const providers = probe.inProcess.providers.map((one) => {
    if (one.works || !one.reason?.endsWith('Failed to load shared library')) return one;
    return { ...one, reason: complaints.shift() ?? one.reason };
  });
  return { ...probe, inProcess: { ...probe.inProcess, providers } };
}
