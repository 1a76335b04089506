import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseEndpoint } from '@vantage/custom-node';
import { runChecks } from '../conformance/run-checks.ts';
import { createNode } from '../create/create-node.ts';
import { defineNode, type RunNodeOptions } from './run-node.ts';

const OPTIONS: RunNodeOptions = { subject: '', port: 0, host: '127.0.0.1', json: true, verbose: false };
const MAIN = path.resolve(import.meta.dirname, '../../main.ts');
let root = '';

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'vantage-node-run-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('vantage node run', () => {
  test('a folder, a file, a zip and a built-in node mean what the twin of the host means', async () => {
    const file = path.join(root, 'mine.py');
    const zip = path.join(root, 'mine.zip');
    await writeFile(file, '');
    await writeFile(zip, '');
    const define = (subject: string) => defineNode({ ...OPTIONS, subject });
    expect(await define(root)).toMatchObject({ source: { kind: 'folder', folder: root }, port: 0, deadlineMs: 5000 });
    expect(await define(file)).toMatchObject({ source: { kind: 'folder', folder: root }, entry: 'mine.py' });
    expect(await define(zip)).toMatchObject({ source: { kind: 'zip', url: zip } });
    expect(await define('flip')).toMatchObject({ source: { kind: 'builtin', builtin: 'flip' } });
    const tuned = {
      ...OPTIONS,
      subject: 'blur',
      settings: '{"labels":["face"]}',
      deadline: 100,
      memory: 256,
      inFlight: 2,
    };
    expect(await defineNode(tuned)).toMatchObject({
      settings: { labels: ['face'] },
      deadlineMs: 100,
      memoryMiB: 256,
      maxInFlight: 2,
    });
  });

  test.each([
    [{ subject: '/nowhere/node.ts' }, 'INPUT_MISSING', 'does not exist'],
    [{ subject: 'sharpen' }, 'NODE_RUN_INVALID', 'nodes.node.builtin'],
    [{ subject: 'flip', settings: '{' }, 'NODE_RUN_INVALID', '--settings is no JSON'],
    [{ subject: 'flip', settings: '@/nowhere' }, 'NODE_RUN_INVALID', '--settings is no JSON'],
    [{ subject: 'flip', memory: 1 }, 'NODE_RUN_INVALID', 'nodes.node.memoryMiB'],
    [{ subject: 'flip', cert: 'a.pem' }, 'NODE_RUN_INVALID', '--cert and --key'],
  ])('%j is refused with the reason', async (options, code, text) => {
    const failing = defineNode({ ...OPTIONS, ...options });
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  test('a new node runs, a version that does not load changes nothing, and Ctrl-C ends it', async () => {
    const { folder } = await createNode({ name: 'night-watch', language: 'ts', dir: path.join(root, 'ts') });
    const command = ['--disable-warning=ExperimentalWarning', MAIN, 'node', 'run', folder, '--port', '0', '--json'];
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (isIt: (event: { state: string; port: number; text?: string }) => boolean) => {
        for (;;) {
          const { value, done } = await lines.next();
          if (done === true) throw new Error('the command ended');
          const event = JSON.parse(value) as { state: string; port: number; text?: string };
          if (isIt(event)) return event;
        }
      };
      const { port } = await next(({ state }) => state === 'running');
      const access = { endpoint: parseEndpoint(`127.0.0.1:${port}`), deadlineMs: 5000 };
      const ids = { instanceId: 'i', skillId: 's', deviceId: 'd' };
      const check = async () =>
        (await runChecks(access, ids, { only: ['frame'] })).checks.map(({ outcome }) => outcome);
      expect(await check()).toEqual(['ok', 'ok']);
      const file = path.join(folder, 'node.ts');
      await writeFile(file, `${await readFile(file, 'utf8')}\nthrow new Error('not ready');\n`);
      expect((await next(({ text }) => text !== undefined)).text).toMatch(/^the new version is not used: .*not ready/);
      expect(await check()).toEqual(['ok', 'ok']);
    } finally {
      child.kill('SIGINT');
    }
    expect(await ended).toBe(0);
  }, 60_000);
});
