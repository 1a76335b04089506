import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ended, startOwner, vantage, type Outcome } from './fixtures/cli.ts';
import { manifestText, type ChangeContent } from './fixtures/manifest.ts';

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);

let work: string;
let state: string;
let owner: ChildProcess;

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-deploy-'));
  state = path.join(work, 'state');
  process.env['VANTAGE_HOME'] = path.join(work, 'home');
  owner = await startOwner(state);
});
afterAll(async () => {
  delete process.env['VANTAGE_HOME'];
  owner.kill('SIGTERM');
  await ended(owner);
  rmSync(work, { recursive: true, force: true });
});

const here = (...args: string[]): Promise<Outcome> => vantage([...args, '--state', state]);
const changesOf = ({ stdout }: Outcome): string[] =>
  (JSON.parse(stdout).changes as { how: string; what: string; name: string }[]).map(
    ({ how, what, name }) => `${how} ${what} ${name}`,
  );

/** A manifest with the modules of the fixture, changed by `change`. */
function manifest(name: string, change?: ChangeContent): string {
  const file = path.join(work, `${name}.json`);
  writeFileSync(file, manifestText(change));
  return file;
}

describe('one device', () => {
  test('--dry-run says what would change, without secrets, and changes nothing', async () => {
    const { status, stdout } = await here('deploy', manifest('first'), '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('- route broken');
    expect(stdout).toContain('+ twin teller\n    {"greeting":"hello"}');
    expect(stdout).toContain('~ runtime edgeAgent');
    expect(stdout).not.toContain('secret-pass');
    const { stdout: twin } = await here('twin', 'get', 'teller');
    expect(JSON.parse(twin).properties.desired.greeting).toBeUndefined();
  });

  test('--wait follows it to the end; once more changes nothing', async () => {
    const file = manifest('first');
    const { status, stdout } = await here('deploy', file, '--wait', '60');
    expect(stdout).toContain('2 of 2 modules as they should be');
    expect(stdout).toContain('everything runs');
    expect(status).toBe(0);
    expect(changesOf(await here('deploy', file, '--dry-run', '--json'))).toEqual([]);
  });

  test('a module that ends again and again is named, with status 2, and rollback mends it', async () => {
    const file = manifest('bad', (modules) => {
      modules.crasher = { ...modules.teller, restartPolicy: 'never', env: { FAIL: { value: '1' } } };
    });
    const applied = await here('deploy', file, '--wait', '30');
    expect(applied.stdout).toContain('+ module crasher');
    expect(applied.stdout).toMatch(/it does not work:\n {2}crasher: /);
    expect(applied.status).toBe(2);
    const back = await here('deploy', 'rollback', '--wait', '60', '--json');
    expect(back.status).toBe(0);
    expect(changesOf(back)).toEqual(['removed module crasher']);
    expect(JSON.parse(back.stdout).progress.state).toBe('well');
  });

  test('what is kept is for its owner only, and further than it goes no rollback', async () => {
    const { stdout } = await here('deploy', 'history', '--json');
    const kept = JSON.parse(stdout) as { file: string }[];
    expect(kept.length).toBeGreaterThanOrEqual(2);
    expect(statSync(kept[0]!.file).mode & 0o077).toBe(0);
    const far = await here('deploy', 'rollback', '--steps', '99');
    expect(far.status).toBe(1);
    expect(far.stderr).toContain('HISTORY_EMPTY');
  });

  test('a manifest with errors is not deployed', async () => {
    const file = manifest('wrong', (_modules, routes) => (routes.up = 'FROM nowhere'));
    const { status, stderr } = await here('deploy', file);
    expect(status).toBe(1);
    expect(stderr).toMatch(/wrong\.json:1:\d+: error: .*routes\.up/);
    expect(stderr).toContain('DEPLOYMENT_INVALID');
  });
});

describe('a fleet', () => {
  const onHub = ['--id', 'site-a', '--target-condition', "tags.site='a'", '--priority', '7', '--label', 'owner=me'];

  test('an automatic deployment is made, changed, listed, shown and removed', async () => {
    const file = manifest('fleet');
    const made = await here('deploy', file, ...onHub);
    expect(made.stdout).toContain('whole deployment site-a, priority 7: 0 devices fit');
    expect(made.stdout).toContain('created on local');
    const changed = await here('deploy', file, ...onHub, '--label', 'site=north');
    expect(changed.stdout).toContain('changed on local');
    const other = manifest('fleet2', (_modules, routes) => (routes.more = 'FROM /messages/* INTO $upstream'));
    const refused = await here('deploy', other, ...onHub);
    expect(refused.stdout).toContain('+ route more');
    expect(refused.stderr).toContain('DEPLOYMENT_FIXED');
    expect((await here('deploy', 'list')).stdout).toMatch(/site-a +7 +tags\.site='a' +0 +0/);
    expect((await here('deploy', 'show', 'site-a')).stdout).toContain('owner=me, site=north');
    expect((await here('deploy', 'remove', 'site-a')).status).toBe(0);
    expect((await here('deploy', 'show', 'site-a')).stderr).toContain('DEPLOYMENT_UNKNOWN');
  });

  test('a layered one needs a fleet', async () => {
    const file = path.join(work, 'layer.json');
    const layer = { content: { modulesContent: { teller: { 'properties.desired.volume': 3 } } } };
    writeFileSync(file, JSON.stringify(layer));
    const { status, stderr } = await here('deploy', file);
    expect(status).toBe(1);
    expect(stderr).toContain('layered');
    // Nothing is created by somebody who thinks that it is followed.
    const waiting = await here('deploy', file, ...onHub, '--wait');
    expect([waiting.status, waiting.stdout]).toEqual([1, '']);
    expect(waiting.stderr).toContain('--wait follows one device; who of a fleet has it: vantage deploy show site-a');
  });
});

test('no credential in any file that others may read', () => {
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? walk(file) : [file];
    });
  for (const file of walk(path.join(work, 'home'))) {
    if (readFileSync(file, 'utf8').includes('secret-pass')) expect(statSync(file).mode & 0o077).toBe(0);
  }
});

test.each([
  [['--connection-file', '/nowhere/at/all'], 'HUB_UNKNOWN'],
  [['--device', 'x'], ''],
])('a hub that is not there: %j', async (options, code) => {
  const { status, stderr } = await vantage(['deploy', 'history', '--state', path.join(work, 'none'), ...options]);
  expect(status).toBe(1);
  expect(stderr).toContain(code === '' ? 'RUNTIME_NOT_FOUND' : code);
});
