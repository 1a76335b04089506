import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ended, startOwner, vantage, type Outcome } from './fixtures/cli.ts';

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);

let work: string;
let state: string;
let owner: ChildProcess;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-twin-'));
  state = path.join(work, 'state');
  process.env['VANTAGE_HOME'] = path.join(work, 'home');
  owner = await startOwner(state);
});
afterAll(async () => {
  delete process.env['VANTAGE_HOME'];
  delete process.env['EDITOR'];
  owner.kill('SIGTERM');
  await ended(owner);
  rmSync(work, { recursive: true, force: true });
});

const twin = (...args: string[]): Promise<Outcome> => vantage(['twin', ...args, '--state', state]);
const desired = async (): Promise<unknown> => JSON.parse((await twin('get', 'teller', '--desired')).stdout);

/** What the person at the keyboard does: a shell script that gets the file. */
function editorThat(script: string): void {
  const file = path.join(work, 'editor.sh');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env['EDITOR'] = file;
}

test('set, get by path, patch and apply, each kept and taken back', async () => {
  expect((await twin('set', 'teller', 'greeting=hello', 'limits.list[0]=5', '--dry-run')).stdout).toContain(
    'not applied',
  );
  expect(await desired()).toEqual({});
  const { status, stdout } = await twin('set', 'teller', 'greeting=hello', 'limits.list[0]=5', '--json');
  expect([status, JSON.parse(stdout)]).toEqual([
    0,
    expect.objectContaining({ device: 'vantage-edge', state: 'changed' }),
  ]);
  expect((await twin('get', 'teller', 'limits.list[0]')).stdout).toBe('5\n');
  expect((await twin('get', 'teller', 'limits.nothing')).stderr).toContain('TWIN_PATH_UNKNOWN');

  await twin('patch', 'teller', '{"greeting": null, "volume": 3}');
  expect(await desired()).toEqual({ limits: { list: [5] }, volume: 3 });
  expect((await twin('patch', 'teller', '{"volume": 3}')).stdout).toContain('the twin says that already');

  writeFileSync(path.join(work, 'twin.json'), '{"only": true}');
  await twin('apply', 'teller', '-f', path.join(work, 'twin.json'));
  expect(await desired()).toEqual({ only: true });

  await twin('rollback', 'teller');
  expect(await desired()).toEqual({ limits: { list: [5] }, volume: 3 });
  expect((await twin('history', 'teller', '--json')).stdout).toContain('replacedAt');
});

test('an editor: what was typed is applied; what is no JSON stays in its file and is named', async () => {
  editorThat('sed -i "s/\\"volume\\": 3/\\"volume\\": 11/" "$1"');
  expect((await twin('edit', 'teller')).stdout).toContain('applied as version');
  expect(await desired()).toMatchObject({ volume: 11 });

  editorThat('echo "{ \\"volume\\": 12, }" > "$1"');
  const { status, stderr } = await twin('edit', 'teller');
  expect(status).toBe(1);
  expect(stderr).toMatch(/teller\.json:1:17 is not JSON: .*; remove the comma before it/);
  const file = /what you wrote is in (\S+)/.exec(stderr)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toContain('12');
  rmSync(path.dirname(file), { recursive: true });
  expect(await desired()).toMatchObject({ volume: 11 });
});

test('two operators at once: the second is told, and overwrites nothing', async () => {
  const other = `'${process.execPath}' --disable-warning=ExperimentalWarning '${path.resolve(import.meta.dirname, '../src/main.ts')}'`;
  editorThat(`${other} twin set teller volume=1 --state '${state}' > /dev/null && sed -i s/11/12/ "$1"`);
  const { status, stderr } = await twin('edit', 'teller');
  expect([status, stderr]).toEqual([1, expect.stringContaining('TWIN_CHANGED')]);
  expect(await desired()).toMatchObject({ volume: 1 });
  // Nothing that was typed is lost.
  const file = /what you wrote is in (\S+): "vantage twin apply teller -f/.exec(stderr)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toContain('12');
  rmSync(path.dirname(file), { recursive: true });
  editorThat('exit 3');
  expect((await twin('edit', 'teller')).stderr).toContain('the editor ended with status 3; nothing was changed');
});

test('--where changes every device that fits', async () => {
  const fits = await twin('set', 'teller', 'site=1', '--where', "deviceId != ''");
  expect(fits.stdout).toMatch(/vantage-edge +changed +version \d+/);
  expect((await twin('set', 'teller', 'site=2', '--where', "tags.site = 'none'")).stderr).toContain('DEVICE_UNKNOWN');
});
