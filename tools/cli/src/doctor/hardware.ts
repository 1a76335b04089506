import { existsSync, readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { statfs } from 'node:fs/promises';
import { ask, gibibytes, type Finding } from './finding.ts';

export interface Hardware {
  readonly gpu: 'nvidia' | 'jetson' | undefined;
  /** Of Intel and AMD graphics, for decoding. */
  readonly renderNode: string | undefined;
  readonly findings: readonly Finding[];
}

const MIN_MEMORY = 2 ** 30;
/** Two full pictures of 4K and the outputs of a large model. */
const GOOD_SHM = 256 * 2 ** 20;

export async function examineHardware(): Promise<Hardware> {
  const gpu = await findGpu();
  const renderNode = listed('/dev/dri').find((name) => name.startsWith('renderD'));
  return {
    gpu: gpu.kind,
    renderNode: renderNode === undefined ? undefined : `/dev/dri/${renderNode}`,
    findings: [processor(), memory(), await sharedMemory(), gpu.finding, await disk()],
  };
}

function processor(): Finding {
  const cores = os.availableParallelism();
  const model = os.cpus()[0]?.model.trim() ?? 'an unknown processor';
  const found = `${cores} ${cores === 1 ? 'core' : 'cores'} of ${model} (${process.arch})`;
  if (cores > 1) return { id: 'processor', state: 'good', found };
  return {
    id: 'processor',
    state: 'limited',
    found: `${found}: decoding and inference take turns`,
    remedy: 'Give the machine or the container a second core.',
  };
}

function memory(): Finding {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
  const found = `${gibibytes(total)}${total < os.totalmem() ? ` of ${gibibytes(os.totalmem())}: a limit is set` : ''}`;
  if (total >= MIN_MEMORY) return { id: 'memory', state: 'good', found };
  return {
    id: 'memory',
    state: 'limited',
    found: `${found}; a camera with a small model takes about 400 MiB`,
    remedy: 'Raise the memory limit of the container.',
  };
}

async function sharedMemory(): Promise<Finding> {
  try {
    const { bsize, blocks } = await statfs('/dev/shm');
    const found = `/dev/shm holds ${gibibytes(bsize * blocks)}`;
    if (bsize * blocks >= GOOD_SHM) return { id: 'shared-memory', state: 'good', found };
    return {
      id: 'shared-memory',
      state: 'limited',
      found: `${found}; tensors of sidecars and parsers travel through it`,
      remedy: 'Start the container with --shm-size 512m (HostConfig.ShmSize in the deployment).',
    };
  } catch {
    return {
      id: 'shared-memory',
      state: 'limited',
      found: 'there is no /dev/shm: tensors of sidecars and parsers go through temporary files',
      remedy: 'Nothing has to be done; on Linux, mount a tmpfs on /dev/shm.',
    };
  }
}

async function disk(): Promise<Finding> {
  const { bsize, bavail } = await statfs('.');
  const found = `${gibibytes(bsize * bavail)} free for state, models and clips`;
  if (bsize * bavail >= 2 * 2 ** 30) return { id: 'disk', state: 'good', found };
  return { id: 'disk', state: 'limited', found, remedy: 'Make room, or start in a folder on another disk.' };
}

async function findGpu(): Promise<{ readonly kind: Hardware['gpu']; readonly finding: Finding }> {
  if (existsSync('/etc/nv_tegra_release') || /jetson|orin|xavier/i.test(text('/proc/device-tree/model'))) {
    const release = /R(\d+).*REVISION: ([\d.]+)/.exec(text('/etc/nv_tegra_release'));
    const l4t = release ? `L4T ${release[1] ?? ''}.${release[2] ?? ''}` : 'an unknown L4T';
    const name = text('/proc/device-tree/model').replaceAll('\0', '') || 'a Jetson';
    return { kind: 'jetson', finding: { id: 'gpu', state: 'good', found: `${name} with ${l4t}` } };
  }
  const answer = await ask('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']);
  if (answer.ok && answer.stdout !== '') {
    return { kind: 'nvidia', finding: { id: 'gpu', state: 'good', found: answer.stdout.split('\n').join('; ') } };
  }
  if (listed('/dev').some((name) => /^nvidia\d+$/.test(name))) {
    return {
      kind: 'nvidia',
      finding: {
        id: 'gpu',
        state: 'limited',
        found: `there is an NVIDIA device, but nvidia-smi does not tell about it: ${answer.reason}`,
        remedy: 'Install the NVIDIA driver; in a container, start it with the NVIDIA runtime (--gpus all).',
      },
    };
  }
  return {
    kind: undefined,
    finding: {
      id: 'gpu',
      state: 'limited',
      found: 'no NVIDIA GPU is seen: models run on the processor',
      remedy: 'If there is one, install its driver; in a container, start it with --gpus all or "Runtime": "nvidia".',
    },
  };
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
