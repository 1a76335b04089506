import { messageOf } from '@vantage/contracts';
import { probeRuntimes, type ProviderTry } from '@vantage/inference';
import { ask, type Finding } from './finding.ts';
import type { Hardware } from './hardware.ts';

/** Where models run, tried with a model. */
export async function examineInference({ gpu }: Hardware): Promise<readonly Finding[]> {
  try {
    const { inProcess, sidecar } = await probeRuntimes();
    return [
      ...inProcess.providers.map((one) => inProcessFinding(one, inProcess.version, gpu)),
      ...('missing' in sidecar
        ? [sidecarMissing(sidecar.missing, gpu)]
        : [sidecarFinding(`onnxruntime ${sidecar.version} of ${sidecar.python}`, sidecar.providers, gpu)]),
      await parserPython(),
    ];
  } catch (error) {
    const remedy = 'npm ci in the repository; on Linux, glibc is needed (not Alpine).';
    return [{ id: 'inference.cpu', state: 'missing', found: messageOf(error), remedy }];
  }
}

function inProcessFinding({ provider, works, reason }: ProviderTry, version: string, gpu: Hardware['gpu']): Finding {
  const id = `inference.${provider}`;
  const runtime = `ONNX Runtime ${version}`;
  if (works) return { id, state: 'good', found: `${runtime} runs models on ${provider}` };
  const found = `${runtime} does not run models on ${provider}: ${reason ?? 'no reason is known'}`;
  if (provider === 'cpu') return { id, state: 'missing', found, remedy: 'npm ci in the repository.' };
  if (gpu === undefined) return { id, state: 'limited', found, remedy: 'Needs an NVIDIA GPU.' };
  if (gpu === 'jetson') {
    return { id, state: 'limited', found, remedy: 'npm has no GPU build for arm64: the sidecar runs models there.' };
  }
  return {
    id,
    state: 'limited',
    found,
    remedy:
      'Take the dgpu image; or put the GPU libraries of ONNX Runtime (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild ' +
      `onnxruntime-node) and CUDA 12, cuDNN 9${provider === 'tensorrt' ? ', TensorRT 10' : ''} on the library path.`,
  };
}

function sidecarMissing(reason: string, gpu: Hardware['gpu']): Finding {
  const packageName = gpu === 'nvidia' ? 'onnxruntime-gpu' : 'onnxruntime';
  return {
    id: 'inference.sidecar',
    state: 'limited',
    found: `no sidecar: ${reason}`,
    remedy:
      gpu === 'jetson'
        ? "Install NVIDIA's onnxruntime-gpu wheel for this JetPack, or take the jetson image."
        : `Only needed for FP16, INT8 and engine caches of TensorRT: pip install ${packageName}, or set VANTAGE_SIDECAR_PYTHON.`,
  };
}

function sidecarFinding(runtime: string, tries: readonly ProviderTry[], gpu: Hardware['gpu']): Finding {
  const id = 'inference.sidecar';
  const works = tries.filter((one) => one.works).map(({ provider }) => provider);
  const not = tries.filter((one) => !one.works).map(({ provider, reason }) => `${provider}: ${reason ?? 'unknown'}`);
  const found = `${runtime} runs models on ${works.join(', ') || 'nothing'}`;
  if (gpu === undefined || not.length === 0) return { id, state: 'good', found };
  return {
    id,
    state: 'limited',
    found: `${found}, not on ${not.join('; ')}`,
    remedy: 'pip install onnxruntime-gpu instead of onnxruntime, with the CUDA, cuDNN and TensorRT that it names.',
  };
}

/** Custom parsers in Python need no more than numpy. */
async function parserPython(): Promise<Finding> {
  const id = 'python';
  const python = process.env['VANTAGE_PYTHON'] || 'python3';
  const program = 'import sys, numpy; print(sys.version.split()[0], "with numpy", numpy.__version__)';
  const candidates = process.env['VANTAGE_PYTHON'] ? [python] : ['/usr/bin/python3', python];
  let reason = '';
  for (const candidate of candidates) {
    const answer = await ask(candidate, ['-c', program]);
    if (answer.ok) return { id, state: 'good', found: `Python ${answer.stdout} (${candidate}) runs custom parsers` };
    reason = `${candidate}: ${answer.reason}`;
  }
  return {
    id,
    state: 'limited',
    found: `custom parsers in Python do not run: ${reason}`,
    remedy: 'apt-get install python3-numpy, or set VANTAGE_PYTHON. Parsers in JavaScript run as they are.',
  };
}
