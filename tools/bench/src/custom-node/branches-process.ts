/** A camera with a custom node on each of its branches: `branches-process.ts <BranchesRun>`; prints `BranchesFigures`. */
import { pathToFileURL } from 'node:url';
import { Engine } from '@vantage/ai-pipeline';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import type { GraphEdge, GraphNode, SkillGraph } from '@vantage/skill';
import type { BranchesFigures, BranchesRun } from './run.ts';

/** Documents of the quick branch before the measurement starts. */
const WARM_UP = 25;

const run = JSON.parse(process.argv[2] ?? '{}') as BranchesRun;
const engine = new Engine({
  ffmpeg: await resolveFfmpeg(),
  backend: new WorkerPool(),
  resolveModel: () => Promise.reject(new Error('there is no model')),
  logger: silentLogger,
});
engine.on('problem', ({ message }) => process.stderr.write(`bench: ${message}\n`));

let warm = 0;
let times: number[] = [];
let slow = 0;
await new Promise<void>((resolve) => {
  engine.on('export', (_pipeline, { node }) => {
    if (node === 'late') {
      slow += 1;
      return;
    }
    warm += 1;
    if (warm === WARM_UP) setTimeout(resolve, run.forMs);
    if (warm < WARM_UP) return;
    if (times.length === 0) slow = 0;
    times.push(performance.now());
  });
  void engine.apply([graph()]);
});
const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
const figures: BranchesFigures = { rate: (times.length - 1) / seconds, slowRate: slow / seconds };
times = [];
await engine.stop();
process.stdout.write(JSON.stringify(figures));

function graph(): SkillGraph {
  const branches = [
    ...branch('quick', 'quick-node', run.quick),
    ...(run.slow === undefined ? [] : branch('late', 'slow-node', run.slow)),
  ];
  return {
    id: 'bench',
    skill: { instance: 'bench', skill: 'bench' },
    nodes: [
      {
        kind: 'source',
        id: '0',
        sensor: 'camera',
        url: pathToFileURL(run.film).href,
        regions: [],
        pace: 'realtime',
        loop: true,
      },
      ...branches.map(({ node }) => node),
    ],
    edges: branches.map(({ edge }) => edge),
  };
}

/** From the camera to a custom node, and from there to an output. */
function branch(output: string, id: string, endpoint: string): { node: GraphNode; edge: GraphEdge }[] {
  const custom: GraphNode = {
    ...{ kind: 'custom', id, endpoint, deadlineMs: 5000, inFlight: 1, onFailure: 'pass', merge: 'append' },
    ...{ maxMessageBytes: 4_194_304, sharedMemory: 'auto' },
  };
  return [
    { node: custom, edge: { from: '0', to: id, queue: { capacity: 1, policy: 'latest' } } },
    {
      node: { kind: 'export', id: output, to: { kind: 'output', output } },
      edge: { from: id, to: output, queue: { capacity: 2, policy: 'dropOldest' } },
    },
  ];
}
