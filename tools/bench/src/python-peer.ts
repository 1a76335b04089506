import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { asset } from './assets.ts';
import { median, type Bench } from './bench.ts';
import { withFilms } from './pipeline/films.ts';
import { runJson, runPipeline } from './pipeline/run-pipeline.ts';

const ROUNDS = 3;
const ROUND_MS = 8000;
const PEERS = path.resolve(import.meta.dirname, '../peers');
/** Its CPU time a frame, ours to theirs, at most. */
const MAX_CPU_RATIO = 0.7;

interface PeerFigures {
  readonly frames: number;
  readonly seconds: number;
  readonly cpuMs: number;
}

/** P3: frames a second and CPU time a frame of the whole pipeline, against the plain Python pipeline, on equal cores. */
export const pythonPeer: Bench = {
  id: 'P3',
  title: 'whole pipeline on two cores against plain Python (OpenCV, onnxruntime, numpy) on the same two',
  unit: 'frames/s',
  goal: 1.3,
  better: 'higher',
  run: (note) =>
    withFilms(async (films) => {
      const python = pythonWithPackages(note);
      if ('reason' in python) return { skipped: python.reason };
      const film = await films.long();
      const both = await side(python.path, film, [0, 1], note);
      const one = await side(python.path, film, [0], note);
      const cpuRatio = Math.round(both.cpuRatio * 1000) / 1000;
      return {
        ours: both.ours,
        reference: both.reference,
        extra: {
          cpuRatio,
          oneCoreRatio: Math.round((one.ours / one.reference) * 1000) / 1000,
          oneCoreCpuRatio: Math.round(one.cpuRatio * 1000) / 1000,
        },
        ...(cpuRatio > MAX_CPU_RATIO
          ? { failed: `CPU a frame ${cpuRatio} of Python's is above ${MAX_CPU_RATIO}` }
          : {}),
      };
    }),
};

async function side(
  python: string,
  film: string,
  cores: readonly number[],
  note: (text: string) => void,
): Promise<{ ours: number; reference: number; cpuRatio: number }> {
  const rounds: { ours: number; reference: number; cpuRatio: number }[] = [];
  // More threads than cores would only get in each other's way; with all cores Python keeps its libraries' defaults.
  const threads = cores.length === 1 ? '1' : '0';
  const script = [path.join(PEERS, 'plain_pipeline.py'), film, asset('models/yolox_nano.onnx')];
  for (let round = 1; round <= ROUNDS; round++) {
    const theirs = await runJson<PeerFigures>([python, ...script, String(ROUND_MS / 1000), threads], cores);
    const run = { films: [film], pace: 'asFastAsPossible', cores: cores.length, forMs: ROUND_MS } as const;
    const own = await runPipeline(run, cores);
    const [theirCpu, ownCpu] = [theirs.cpuMs / theirs.frames, own.cpuMs / own.frames];
    const [reference, ours] = [theirs.frames / theirs.seconds, own.frames / own.seconds];
    rounds.push({ ours, reference, cpuRatio: ownCpu / theirCpu });
    note(
      `${cores.length} core(s), round ${round}: Python ${reference.toFixed(1)} frames/s ${theirCpu.toFixed(1)} CPU ms/frame, ours ${ours.toFixed(1)}, ${ownCpu.toFixed(1)}`,
    );
  }
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    reference: median(rounds.map(({ reference }) => reference)),
    cpuRatio: median(rounds.map(({ cpuRatio }) => cpuRatio)),
  };
}

/** A Python that has the packages: `VANTAGE_PEER_PYTHON`, `python3`, or one that is made for it where pip finds them. */
function pythonWithPackages(note: (text: string) => void): { path: string } | { reason: string } {
  const made = path.join(os.tmpdir(), 'vantage-bench-python');
  const madePython = path.join(made, 'bin/python');
  const named = process.env['VANTAGE_PEER_PYTHON'];
  for (const python of [...(named ? [named] : []), 'python3', ...(existsSync(madePython) ? [madePython] : [])]) {
    if (spawnSync(python, ['-c', 'import cv2, numpy, onnxruntime']).status === 0) return { path: python };
  }
  note(`no Python here has the packages of ${path.join('peers', 'requirements.txt')}; they are installed into ${made}`);
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', made]],
    [madePython, ['-m', 'pip', 'install', '--quiet', '-r', path.join(PEERS, 'requirements.txt')]],
  ];
  for (const [program, args] of steps) {
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
    if (status !== 0)
      return {
        reason: `Python's packages cannot be had: ${(error?.message ?? stderr).trim().split('\n').at(-1) ?? ''}`,
      };
  }
  return { path: madePython };
}
