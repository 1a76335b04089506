/** `npm run bench -- [--json] [--minutes 10] [P1 P4]`: ratios, never absolute times; the exit status says whether all were met. */
import { judge, type Bench, type BenchResult } from './bench.ts';
import { cameraCost } from './camera-cost.ts';
import { customNodes } from './custom-node/round-trip.ts';
import { slowBranch } from './custom-node/slow-branch.ts';
import { decodeCost } from './decode-cost.ts';
import { fleetScale } from './fleet-scale.ts';
import { liveLatency } from './live-latency.ts';
import { controlAtOverload, frameAge, memoryAtOverload } from './overload.ts';
import { pipelineThroughput, pipelineTwoCores } from './pipeline-throughput.ts';
import { pythonPeer } from './python-peer.ts';
import { recordingCost } from './recording-cost.ts';
import { routedTelemetry } from './routed-telemetry.ts';
import { trackerUpdate } from './tracker-update.ts';

const BENCHES: readonly Bench[] = [
  pipelineThroughput,
  pipelineTwoCores,
  pythonPeer,
  decodeCost,
  customNodes,
  slowBranch,
  routedTelemetry,
  fleetScale,
  cameraCost,
  frameAge,
  memoryAtOverload,
  controlAtOverload,
  trackerUpdate,
  liveLatency,
  recordingCost,
];

const args = process.argv.slice(2);
const json = args.includes('--json');
const wanted = args.filter((arg) => /^[a-z]/i.test(arg)).map((id) => id.toUpperCase());
const unknown = wanted.filter((id) => !BENCHES.some((bench) => bench.id === id));
if (unknown.length > 0) {
  process.stderr.write(`bench: no ${unknown.join(', ')}; there are ${BENCHES.map((bench) => bench.id).join(', ')}\n`);
  process.exit(1);
}

function line(result: BenchResult): string {
  const { id, title, ours, reference, unit, ratio, goal, better, met, extra, failed } = result;
  const sign = better === 'higher' ? '>=' : '<=';
  const more = Object.entries(extra ?? {}).map(([name, value]) => `, ${name} ${value}`);
  return `${met ? 'ok ' : 'NOT'} ${id}  ${ratio} (goal ${sign} ${goal})  ${ours.toFixed(2)} / ${reference.toFixed(2)} ${unit}${more.join('')}  ${title}${failed ? `; ${failed}` : ''}`;
}

for (const bench of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(bench.id)) continue;
  const measured = await bench.run((text) => process.stderr.write(`${bench.id} ${text}\n`));
  if ('skipped' in measured) {
    const { id, title } = bench;
    process.stdout.write(
      `${json ? JSON.stringify({ id, title, ...measured }) : `--  ${id}  ${measured.skipped}  ${title}`}\n`,
    );
    continue;
  }
  const result = judge(bench, measured);
  process.stdout.write(`${json ? JSON.stringify(result) : line(result)}\n`);
  if (!result.met) process.exitCode = 1;
}
