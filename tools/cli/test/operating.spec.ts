import { mkdirSync, mkdtempSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { EdgeStatus } from '@vantage/local-edge';
import { ControlClient } from '../src/control/client.ts';
import { ended, startOwner, startVantage, vantage } from './fixtures/cli.ts';

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);
const PATIENCE_MS = 60_000;

let work: string;
let state: string;
let owner: ChildProcess;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-operating-'));
  state = path.join(work, 'state');
  owner = await startOwner(state);
});
afterAll(async () => {
  owner.kill('SIGTERM');
  await ended(owner);
  rmSync(work, { recursive: true, force: true });
});

const here = (args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> =>
  vantage([...args, '--state', state]);

/** Without a process for each question: what `status --json` prints. */
async function statusNow(): Promise<EdgeStatus> {
  return (await ControlClient.open(state)).status();
}

/** Asks until it fits; the runtime tells nobody by itself. */
async function statusWhen(what: string, fits: (status: EdgeStatus) => boolean): Promise<EdgeStatus> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await statusNow();
    if (fits(status)) return status;
    if (Date.now() > deadlineMs) throw new Error(`not ${what}: ${JSON.stringify(status, undefined, 1)}`);
    await after(50);
  }
}

const module = (status: EdgeStatus, id: string) => status.modules.find((each) => each.id === id)!;
const since = (status: EdgeStatus, id: string) => module(status, id).connection?.lastConnectedTimeUtc;
const allConnected = ({ modules }: EdgeStatus): boolean =>
  modules.every(({ connection }) => connection?.status === 'Connected');

describe('a runtime that goes on', () => {
  test('status says at a glance what is well and what is not', async () => {
    const status = await statusWhen('connected', allConnected);
    expect(status).toMatchObject({ deviceId: 'vantage-edge', pid: owner.pid, stateDir: state, faults: [] });
    const { stdout } = await here(['status']);
    expect(stdout).toMatch(/^vantage-edge {2}running for \d+ s {3}MQTT \d+, API \d+, pid \d+, /);
    expect(stdout).toMatch(/^module +state +since +restarts +hub +pid$/m);
    expect(stdout).toMatch(/^● teller {2}running {2}\d+ s +0 +connected \d+ s {2}\d+$/m);
    expect(stdout).toMatch(/^messages {2}\d+ delivered, \d+ waiting, \d+ upstream in all$/m);
    expect(stdout).toMatch(/^route problems\n {2}● broken: .+$/m);
  });

  test('monitor follows, and ends after --count', async () => {
    const { status, stdout } = await here(['monitor', '--count', '3', '--output', 'json']);
    expect(status).toBe(0);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { sequence: number; body: string });
    expect(messages).toHaveLength(3);
    const [first] = messages;
    expect(messages.map(({ sequence }) => sequence - first!.sequence)).toEqual([0, 1, 2]);
    expect(messages[1]).toMatchObject({
      deviceId: 'vantage-edge',
      moduleId: 'teller',
      output: 'up',
      properties: { kind: 'number' },
    });
  });

  test('monitor exports what is kept, and shows a message in one line', async () => {
    const file = path.join(work, 'messages.jsonl');
    const exported = await here(['monitor', '--since', 'all', '--no-follow', '--export', file]);
    expect([exported.status, exported.stdout]).toEqual([0, '']);
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(exported.stderr).toBe(`${lines.length} ${lines.length === 1 ? 'message' : 'messages'} written to ${file}\n`);
    expect(lines.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual(
      lines.map((_, at) => at + 1),
    );
    const text = await here(['monitor', '--since', '0', '--count', '1']);
    expect(text.stdout).toMatch(/^20\S+Z #1 {2}teller\/up {2}kind=number {2}\{"n":1\}\n$/);
    const since = await here(['monitor', '--since', '2', '--count', '1', '--output', 'json']);
    expect(JSON.parse(since.stdout)).toMatchObject({ sequence: 3 });
  });

  test('monitor --count that does not come in --seconds is a failure', async () => {
    const { status, stdout, stderr } = await here(['monitor', '--module', 'nobody', '--count', '1', '--seconds', '1']);
    expect([status, stdout, stderr]).toEqual([1, '', 'vantage: 0 of 1 messages came in 1 s (MESSAGES_MISSING)\n']);
  });

  test('logs shows the last lines and what comes', async () => {
    expect((await here(['logs', 'teller', '--tail', '1'])).stdout).toMatch(/^sent \d+\n$/);
    const child = startVantage(['logs', 'teller', '--follow', '--tail', '0', '--state', state]);
    const numbers: number[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      numbers.push(Number(line.replace('sent ', '')));
      if (numbers.length === 3) break;
    }
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    expect(numbers.map((n) => n - numbers[0]!)).toEqual([0, 1, 2]);
  });

  test('a fault with --for ends by itself, without the command that set it', async () => {
    const before = await statusWhen('connected', allConnected);
    const set = await here(['fault', 'network', 'teller', '--for', '1s']);
    expect([set.status, set.stdout]).toEqual([
      0,
      expect.stringMatching(/^network: teller cannot reach the hub, for \d s more\n$/),
    ]);
    const status = await statusWhen('over', (s) => s.faults.length === 0 && allConnected(s));
    expect(status.pid).toBe(owner.pid);
    expect(module(status, 'teller').connection?.lastDisconnectedTimeUtc).not.toBe(
      module(before, 'teller').connection?.lastDisconnectedTimeUtc,
    );
    expect(module(status, 'other').connection).toEqual(module(before, 'other').connection);
  });

  test('faults are listed and cleared', async () => {
    await here(['fault', 'upstream']);
    await here(['fault', 'delay', 'other', '250']);
    await here(['fault', 'clock', '-1h']);
    expect((await here(['fault', 'list'])).stdout).toBe(
      'upstream: nothing leaves for the cloud, until cleared\n' +
        'delay: messages to other are 250 ms late, until cleared\n' +
        "clock: the hub's clock is 60 min behind, until cleared\n",
    );
    const before = await statusNow();
    expect(before.clock.offsetMs).toBe(-3_600_000);
    expect((await here(['fault', 'clear', 'delay', 'other'])).stdout).toBe('1 fault cleared\n');
    expect((await here(['fault', 'clear'])).stdout).toBe('2 faults cleared\n');
    expect((await here(['fault', 'clear'])).stdout).toBe('there was nothing to clear\n');
    expect((await here(['fault', 'list', '--json'])).stdout).toBe('[]\n');
  });

  test('kill ends a module hard, and its restart policy brings it back', async () => {
    const { pid } = module(await statusNow(), 'other');
    expect((await here(['fault', 'kill', 'other'])).stdout).toBe('other has been killed\n');
    const status = await statusWhen('back', (s) => {
      const { pid: now, connection } = module(s, 'other');
      return now !== undefined && now !== pid && connection?.status === 'Connected';
    });
    expect(module(status, 'other').restartCount).toBe(1);
  });

  test('restart-broker and expire-tokens throw clients out, and they come back', async () => {
    const isBack =
      (before: EdgeStatus) =>
      (now: EdgeStatus): boolean =>
        allConnected(now) && ['teller', 'other'].every((id) => since(now, id) !== since(before, id));
    const first = await statusWhen('connected', allConnected);
    expect(await here(['fault', 'restart-broker'])).toEqual({
      status: 0,
      stdout: 'the broker has been restarted\n',
      stderr: '',
    });
    const second = await statusWhen('back', isBack(first));
    expect((await here(['fault', 'expire-tokens'])).stdout).toBe('the tokens of 2 connected clients are over\n');
    await statusWhen('back with new tokens', isBack(second));
  });

  test.each([
    [
      ['fault', 'network', 'nobody'],
      /^vantage: there is no device or module "vantage-edge\/nobody" \(RUNTIME_REFUSED\)\n$/,
    ],
    [
      ['fault', 'kill', 'nobody'],
      /^vantage: there is no device or module "vantage-edge\/nobody" \(RUNTIME_REFUSED\)\n$/,
    ],
    [['fault', 'clear', 'meteor'], /^vantage: the kind of a fault is one of .*, not "meteor" \(RUNTIME_REFUSED\)\n$/],
    [
      ['fault', 'upstream', '--for', '30'],
      /^vantage: --for is a time such as 500ms, .*, not "30" \(DURATION_INVALID\)\n$/,
    ],
    [
      ['fault', 'clock', 'noon'],
      /^vantage: the clock's offset is a time such as .*, not "noon" \(DURATION_INVALID\)\n$/,
    ],
    [['fault', 'meteor'], /^error: unknown command 'meteor'/],
    [['logs', 'nobody'], /^vantage: there is no device or module "vantage-edge\/nobody" \(RUNTIME_REFUSED\)\n$/],
    [['monitor', '--since', 'noon'], /^vantage: --since .* not "noon" \(DURATION_INVALID\)\n$/],
    [['monitor', '--count', '0'], /^error: option '--count <n>' argument '0' is invalid/],
    [
      ['monitor', '--export', '/nowhere/x.jsonl', '--no-follow'],
      /^vantage: \/nowhere\/x.jsonl cannot be written: .*ENOENT.* \(EXPORT_FAILED\)\n$/,
    ],
    [
      ['reset'],
      /^vantage: the runtime with pid \d+ uses .*; stop it with "vantage down" first, or add --force \(RESET_RUNNING\)\n$/,
    ],
  ])('%j is one clear sentence', async (args, sentence) => {
    const { status, stdout, stderr } = await here(args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(sentence);
  });
});

describe('its end', () => {
  test('down, from another terminal, leaves nothing; a monitor that watched says why it ended', async () => {
    const pids = (await statusNow()).modules.map(({ pid }) => pid!);
    const monitor = startVantage(['monitor', '--state', state]);
    let said = '';
    monitor.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    await new Promise((resolve) => monitor.stdout!.once('data', resolve));
    expect(await here(['down'])).toEqual({
      status: 0,
      stdout: `the runtime in ${state} (pid ${owner.pid}) has ended\n`,
      stderr: '',
    });
    expect(await ended(owner)).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect([await ended(monitor), said]).toEqual([1, 'vantage: the local runtime has ended (RUNTIME_ENDED)\n']);
  });

  test('after that: down is content, everything else says that nothing runs', async () => {
    expect(await here(['down'])).toEqual({ status: 0, stdout: `nothing runs in ${state}\n`, stderr: '' });
    for (const args of [['status'], ['monitor'], ['logs', 'teller'], ['fault', 'list']]) {
      const { status, stderr } = await here(args);
      expect([status, stderr]).toEqual([1, expect.stringContaining('(RUNTIME_NOT_RUNNING)')]);
    }
    for (const args of [['status'], ['down']]) {
      const { status, stderr } = await vantage([...args, '--state', path.join(work, 'never')]);
      expect([status, stderr]).toEqual([1, expect.stringContaining('(RUNTIME_NOT_FOUND)')]);
    }
  });

  test('reset leaves a folder alone that holds anything else', async () => {
    const project = path.join(work, 'project');
    mkdirSync(path.join(project, 'logs'), { recursive: true });
    writeFileSync(path.join(project, 'package.json'), '{}');
    const { status, stdout, stderr } = await vantage(['reset', '--force', '--state', project]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `vantage: ${project} is not (only) a state folder: it holds package.json; nothing was removed (RESET_REFUSED)\n`,
    );
    expect(readdirSync(project)).toEqual(['logs', 'package.json']);
  });

  test('reset makes the folder new, with or without the volumes', async () => {
    for (const volumes of ['volumes', 'container-volumes']) {
      mkdirSync(path.join(state, volumes, 'clips'), { recursive: true });
    }
    const kept = await here(['reset', '--keep-volumes']);
    expect([kept.status, kept.stdout]).toEqual([0, expect.stringMatching(/ is new: .*edge\.db.* removed\n$/)]);
    expect(readdirSync(state)).toEqual(['container-volumes', 'volumes']);
    expect((await here(['reset'])).stdout).toBe(`${state} is new: container-volumes, volumes removed\n`);
    expect(existsSync(state)).toBe(false);
    expect((await here(['reset'])).stdout).toBe('nothing was removed\n');
  });

  test('reset --force stops the runtime first', async () => {
    owner = await startOwner(state);
    const { status, stderr } = await here(['reset', '--force']);
    expect([status, stderr]).toEqual([0, '']);
    expect(await ended(owner)).toBe(0);
    expect(existsSync(state)).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
