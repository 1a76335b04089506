import { spawn } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import type { FleetSummary } from '../src/fleet/simulate.ts';

const COMMAND = path.resolve(import.meta.dirname, '../bin/vantage.mjs');

async function simulate(args: readonly string[]): Promise<{ status: number; summary: FleetSummary }> {
  const child = spawn(process.execPath, [COMMAND, 'fleet', 'simulate', '--own', '--json', ...args]);
  const ended = new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(err).toBe('');
  return { status: await ended, summary: JSON.parse(out) as FleetSummary };
}

test('every device of a fleet connects, gets its twin and one patch, and loses no message', async () => {
  const { status, summary } = await simulate(['--devices', '25', '--seconds', '1', '--rate', '4', '--tag', 'site=a']);
  expect(summary).toMatchObject({ devices: 25, connected: 25, gotTwin: 25, gotPatch: 25, lost: 0, errors: [] });
  expect(summary.telemetry.sent).toBeGreaterThan(0);
  expect(summary.telemetry.acknowledged).toBe(summary.telemetry.sent);
  expect(status).toBe(0);
}, 120_000);

test('so does a fleet of edge devices', async () => {
  const { status, summary } = await simulate(['--devices', '5', '--seconds', '1', '--edge', '--connects', '1']);
  expect(summary).toMatchObject({ connected: 5, gotTwin: 5, gotPatch: 5, lost: 0, errors: [] });
  expect(status).toBe(0);
}, 120_000);
