import { spawnSync } from 'node:child_process';
import { median, type Bench } from '../bench.ts';
import { NodeProcess, runClient, runPythonClient, type ClientFigures, type ClientRun } from './run.ts';

const ROUNDS = 5;
const ROUND_MS = 2000;
const HD = { width: 1280, height: 720 };
const FULL_HD = { width: 1920, height: 1080 };
/** What a call costs by itself. */
const TINY = { width: 16, height: 16 };
/** Against a Python client of the same Python server, at least; by shared memory against the Python pair, at least. */
const AGAINST_PYTHON = 1;
const SHARED = 2.5;
/** A 1080p picture each way: so many copies in memory, and so many milliseconds, at most. */
const COPIES = 1.5;
const EACH_WAY_MS = 0.3;

type Rates = Record<
  'pair' | 'ours' | 'againstPython' | 'shared' | 'eachWay' | 'eachWayAllowed' | 'callEachWay',
  number
>;

/** P5: custom nodes. Frames a second there and back, against plain Python at both ends, everything at most one frame at a time. */
export const customNodes: Bench = {
  id: 'P5',
  title: '720p pictures to a custom node and its answer back, over TCP, against a Python client and server',
  unit: 'frames/s',
  goal: 1.3,
  better: 'higher',
  async run(note) {
    const python = pythonWithGrpc();
    if (python === undefined) {
      return { skipped: 'no Python with grpcio, protobuf and numpy (apt-get install python3-grpcio python3-numpy)' };
    }
    const servers = await Promise.all([
      NodeProcess.python(python),
      NodeProcess.ours({ sharedMemory: 'auto', answer: 'insights' }),
      NodeProcess.ours({ sharedMemory: 'auto', answer: 'image' }),
    ]);
    try {
      const rounds: Rates[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        rounds.push(await oneRound(python, servers, round));
        const text = Object.entries(rounds.at(-1) ?? {}).map(([name, value]) => `${name} ${value.toFixed(2)}`);
        note(`round ${round}: ${text.join(', ')}`);
      }
      return judged(rounds);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};

/** Each pair once, and each first as often as the others. */
async function oneRound(
  python: string,
  [theirs, ours, images]: readonly [NodeProcess, NodeProcess, NodeProcess],
  round: number,
): Promise<Rates> {
  const rates: Rates = { pair: 0, ours: 0, againstPython: 0, shared: 0, eachWay: 0, eachWayAllowed: 0, callEachWay: 0 };
  const client = (
    { endpoint }: NodeProcess,
    sharedMemory: ClientRun['sharedMemory'],
    size: typeof HD,
    measureCopies = false,
  ): Promise<ClientFigures> =>
    runClient({ endpoint, sharedMemory, inFlight: 1, ...size, forMs: ROUND_MS, measureCopies });
  const rate = ({ frames, seconds }: Pick<ClientFigures, 'frames' | 'seconds'>): number => frames / seconds;
  const steps: (() => Promise<void>)[] = [
    async () => {
      rates.pair = rate(await runPythonClient(python, { endpoint: theirs.endpoint, ...HD, forMs: ROUND_MS }));
    },
    async () => {
      rates.ours = rate(await client(ours, 'off', HD));
    },
    async () => {
      rates.againstPython = rate(await client(theirs, 'off', HD));
    },
    async () => {
      rates.shared = rate(allShared(await client(ours, 'auto', HD)));
    },
    async () => {
      const { roundTripMs, memcpyMs } = allShared(await client(images, 'auto', FULL_HD, true));
      // The picture goes there, and another one comes back.
      rates.eachWay = roundTripMs / 2;
      rates.eachWayAllowed = COPIES * memcpyMs + EACH_WAY_MS;
    },
    async () => {
      rates.callEachWay = (await client(images, 'auto', TINY)).roundTripMs / 2;
    },
  ];
  for (let i = 0; i < steps.length; i++) await steps[(i + round) % steps.length]?.();
  return rates;
}

function judged(rounds: readonly Rates[]): Awaited<ReturnType<Bench['run']>> {
  const of = (read: (rates: Rates) => number): number => Math.round(median(rounds.map(read)) * 1000) / 1000;
  const againstPython = of((rates) => rates.againstPython / rates.pair);
  const shared = of((rates) => rates.shared / rates.pair);
  const eachWay = of((rates) => rates.eachWay);
  const allowed = of((rates) => rates.eachWayAllowed);
  const missed = [
    ...(againstPython < AGAINST_PYTHON ? [`${againstPython} against a Python server is below ${AGAINST_PYTHON}`] : []),
    ...(shared < SHARED ? [`${shared} by shared memory is below ${SHARED}`] : []),
    ...(eachWay > allowed ? [`1080p takes ${eachWay} ms each way, more than ${allowed}`] : []),
  ];
  return {
    ours: of(({ ours }) => ours),
    reference: of(({ pair }) => pair),
    extra: {
      againstPython,
      shared,
      fullHdEachWayMs: eachWay,
      fullHdAllowedMs: allowed,
      emptyEachWayMs: of((rates) => rates.callEachWay),
    },
    ...(missed.length > 0 ? { failed: missed.join('; ') } : {}),
  };
}

function allShared(figures: ClientFigures): ClientFigures {
  if (figures.sharedFrames < figures.frames) throw new Error('pictures did not go through shared memory');
  return figures;
}

function pythonWithGrpc(): string | undefined {
  const named = process.env['VANTAGE_PEER_PYTHON'];
  return [...(named ? [named] : []), 'python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import grpc, google.protobuf, numpy']).status === 0,
  );
}
