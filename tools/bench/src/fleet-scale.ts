import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Bench } from './bench.ts';

const FEW = 100;
const SOME = 300;
const MANY = 1000;

/** What this bench reads of the summary of `vantage fleet simulate --json`. */
interface Fleet {
  readonly lost: number;
  readonly connected: number;
  readonly gotTwin: number;
  readonly gotPatch: number;
  readonly times: { readonly register: number; readonly connect: number; readonly patch: number };
  readonly hub: { readonly rssMiB: number | null; readonly rssBeforeMiB: number | null };
}

/** P7B: time a device to be registered, connect, get its twin and a patch, among 1000 against among 100. */
export const fleetScale: Bench = {
  id: 'P7B',
  title: `a device of ${MANY} to connect, get its twin and one patch, against one of ${FEW}; nothing lost`,
  unit: 'ms/device',
  goal: 1.5,
  better: 'lower',
  async run(note) {
    const measured = new Map<number, { perDevice: number; kibPerDevice: number; seconds: number; bad: string[] }>();
    for (const devices of [FEW, SOME, MANY]) {
      const { times, hub, lost, connected, gotTwin, gotPatch } = await simulate(devices);
      const ms = times.register + times.connect + times.patch;
      const kib = ((hub.rssMiB ?? Number.NaN) - (hub.rssBeforeMiB ?? Number.NaN)) * 1024;
      const complete = lost === 0 && Math.min(connected, gotTwin, gotPatch) === devices;
      measured.set(devices, {
        perDevice: ms / devices,
        kibPerDevice: Math.round(kib / devices),
        seconds: Math.round(ms / 100) / 10,
        bad: complete ? [] : [`${devices} devices: ${connected} connected, ${gotTwin} twins, ${gotPatch} patches`],
      });
      note(`${devices} devices: ${(ms / 1000).toFixed(1)} s, ${(kib / 1024).toFixed(0)} MiB more, ${lost} lost`);
    }
    const failed = [...measured.values()].flatMap(({ bad }) => bad);
    const extra = Object.fromEntries(
      [...measured].flatMap(([devices, { seconds, kibPerDevice }]) => [
        [`seconds${devices}`, seconds],
        [`kibPerDevice${devices}`, kibPerDevice],
      ]),
    );
    return {
      ours: measured.get(MANY)?.perDevice ?? Number.NaN,
      reference: measured.get(FEW)?.perDevice ?? Number.NaN,
      extra,
      ...(failed.length === 0 ? {} : { failed: failed.join('; ') }),
    };
  },
};

/** The command as a user runs it, against a hub in a process of its own. */
async function simulate(devices: number): Promise<Fleet> {
  const command = path.resolve(import.meta.dirname, '../../cli/bin/vantage.mjs');
  const args = [command, 'fleet', 'simulate', '--own', '--json', '--seconds', '1', '--rate', '0.1'];
  const child = spawn(process.execPath, [...args, '--devices', String(devices)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await text(child.stdout)) as Fleet;
}
