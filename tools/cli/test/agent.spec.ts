import { mkdtempSync, rmSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { findHub, type Hub } from '@vantage/hub';
import { callAgent } from '../src/agent/agent-call.ts';
import { agentLogs } from '../src/logs/agent-logs.ts';
import type { LogsOptions } from '../src/logs/logs.ts';
import { refuseHub } from '../src/monitor/refuse-hub.ts';
import { deviceStatus, renderDeviceStatus, type DeviceStatus } from '../src/status/device-status.ts';
import { ended, startOwner, vantage } from './fixtures/cli.ts';

jest.setTimeout(120_000);

let work: string;
let state: string;
let owner: ChildProcess;
let hub: Hub;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-agent-'));
  state = path.join(work, 'state');
  owner = await startOwner(state);
  hub = await findHub({ state });
});
afterAll(async () => {
  owner.kill('SIGTERM');
  await ended(owner);
  rmSync(work, { recursive: true, force: true });
});

const LINE = /^<6> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 sent (\d+)$/;

/** What the command would print; with `follow` until `enough` lines. */
async function logs(module: string, options: Partial<LogsOptions> = {}, enough = Infinity): Promise<string[]> {
  const lines: string[] = [];
  const end = new AbortController();
  await agentLogs(module, { state, follow: false, tail: 100, json: false, ...options }, end.signal, (line) => {
    lines.push(line);
    if (lines.length >= enough) end.abort();
  });
  return lines;
}

describe('logs through the agent', () => {
  test("the last lines in IoT Edge's form, filtered by what they say", async () => {
    await logs('teller', { follow: true, grep: '^sent [1-3]$' }, 3);
    expect(await logs('teller', { tail: 2, grep: '^sent [12]$', since: '10m' })).toEqual([
      expect.stringMatching(LINE),
      expect.stringMatching(/sent 2$/),
    ]);
    expect(await logs('teller', { level: 3 })).toEqual([]);
    const [record] = await logs('teller', { tail: 1, json: true });
    expect(JSON.parse(record!)).toMatchObject({ id: 'teller', loglevel: 6, stream: 'stdout' });
  });

  test('follow prints each line once', async () => {
    const lines = await logs('teller', { follow: true, tail: 2, grep: 'sent' }, 15);
    const numbers = lines.map((line) => Number(LINE.exec(line)?.[1]));
    expect(numbers.slice(0, 15).map((n) => n - numbers[0]!)).toEqual([...Array(15).keys()]);
  });

  test('what cannot be is said in its words', async () => {
    await expect(logs('nobody')).rejects.toMatchObject({ code: 'MODULE_UNKNOWN' });
    await expect(logs('teller', { grep: '(' })).rejects.toThrow('"(" is no regular expression');
    await expect(logs('teller', { since: 'soon' })).rejects.toMatchObject({ code: 'AGENT_REFUSED' });
  });
});

test('ping and restart', async () => {
  const before = (await deviceStatus(hub)).modules.find(({ name }) => name === 'teller');
  const pinged = await vantage(['ping', '--json', '--state', state]);
  expect(JSON.parse(pinged.stdout)).toEqual({ device: 'vantage-edge', milliseconds: expect.any(Number) });
  const { status, stdout } = await vantage(['restart', 'teller', '--state', state]);
  expect([status, stdout]).toEqual([0, 'teller restarts\n']);
  const after = (await deviceStatus(hub)).modules.find(({ name }) => name === 'teller');
  expect(after?.restarts).toBe((before?.restarts ?? 0) + 1);
  await expect(callAgent(hub, 'RestartModule', { id: 'nobody' })).rejects.toThrow('there is no module "nobody"');
});

describe('status of a device', () => {
  test('comes from its twins', async () => {
    const status = await deviceStatus(hub);
    expect(status).toMatchObject({ hub: 'local', device: 'vantage-edge', deployment: { problems: [] } });
    expect(status.modules.map(({ name }) => name)).toEqual(['edgeAgent', 'edgeHub', 'other', 'teller']);
    expect(status.modules[2]).toMatchObject({ state: 'running', restarts: 0, image: 'teller:1' });
  });

  test('says at a glance what is well and what is not', () => {
    const module = { state: 'running', since: '2026-01-31T11:59:30Z', restarts: 0, image: 'a:1', connected: true };
    const status: DeviceStatus = {
      hub: 'my.azure-devices.net',
      device: 'gate',
      connected: false,
      lastActivity: '2026-01-31T11:00:00Z',
      deployment: { state: 'failed', version: 7, problems: ['$edgeHub refuses the deployment (400): no'] },
      modules: [
        { name: 'good', ...module },
        { name: 'bad', ...module, state: 'backoff', restarts: 4, connected: false, problem: 'backoff, 4 restarts' },
      ],
    };
    const text = stripVTControlCharacters(renderDeviceStatus(status, Date.parse('2026-01-31T12:00:00Z')));
    expect(text).toContain(
      'gate of my.azure-devices.net  not connected, last seen 60 min ago   deployment 7 does not work',
    );
    expect(text).toMatch(/^● good +running {2}30 s +0 +connected +a:1$/m);
    expect(text).toMatch(/^● bad +backoff +30 s +4 +not connected +a:1 +backoff, 4 restarts$/m);
  });
});

test('monitor says what to use for an IoT Hub', () => {
  expect(() => refuseHub({ state, hub: 'my.azure-devices.net' }, { VANTAGE_DEVICE: 'gate' })).toThrow(
    'az iot hub monitor-events --hub-name my --device-id gate',
  );
});
