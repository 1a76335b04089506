import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { RouteTestResult } from '../src/route/route-test.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const CASES = path.resolve(ROOT, process.env['VANTAGE_CASES'] ?? '../shared/cases', 'iot-edge');
const hasCases = existsSync(CASES);
if (!hasCases) process.stderr.write(`skipped: no conformance cases at ${CASES} (set VANTAGE_CASES)\n`);

/** Every command is a process of its own, and two busy cores make them slow. */
jest.setTimeout(120_000);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-route-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The real command; `input` goes to its stdin. */
async function vantage(args: readonly string[], input = ''): Promise<{ status: number; out: string; err: string }> {
  const child = spawn(process.execPath, [path.join(ROOT, 'tools/cli/bin/vantage.mjs'), ...args], { cwd: folder });
  child.stdin.end(input);
  const ended = new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
}

async function batch(lines: readonly unknown[]): Promise<RouteTestResult[]> {
  const input = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const { status, out } = await vantage(['route', 'test', '--batch', '-'], input);
  expect(status).toBe(0);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RouteTestResult);
}

function loadCases<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(CASES, name), 'utf8')) as T;
}

(hasCases ? describe : describe.skip)('the recorded cases, through the command', () => {
  test('conditions, routes, sources and sinks in one batch', async () => {
    type Message = Record<string, unknown>;
    const conditions = loadCases<{
      messages: Record<string, Message>;
      cases: { id: string; condition: string; message: string; expect: string }[];
    }>('conditions.json');
    const routes = loadCases<{
      cases: { id: string; route: string; expect: { error?: string; source?: string; condition?: string } }[];
    }>('routes.json').cases;
    const sources = loadCases<{ cases: { id: string; pattern: string; messageSource: string; expect: boolean }[] }>(
      'sources.json',
    ).cases.filter(({ pattern }) => pattern !== '/' && !pattern.endsWith('/'));
    const sinks = loadCases<{
      cases: { id: string; kind: string; name: string | null; argument?: string; expect: { error?: string } }[];
    }>('sinks.json').cases;

    const answers = await batch([
      ...conditions.cases.map(({ id, condition, message }) => ({
        id,
        condition,
        message: conditions.messages[message],
      })),
      ...routes.map(({ id, route }) => ({ id, route })),
      ...sources.map(({ id, pattern, messageSource }) => ({
        id,
        route: `FROM ${pattern} INTO $upstream`,
        message: { source: messageSource },
      })),
      ...sinks.map(({ id, kind, name, argument }) => ({
        id,
        route: `FROM /* INTO ${kind === 'system' ? name : `${name}('${argument}')`}`,
      })),
    ]);
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    expect(byId.size).toBe(answers.length);
    const wrong: unknown[] = [];
    const check = (id: string, good: boolean): void => void (good || wrong.push(byId.get(id)));
    for (const { id, expect: expected } of conditions.cases) {
      const { result, error } = byId.get(id)!;
      check(id, expected === 'compile-error' ? error !== undefined && result === null : String(result) === expected);
    }
    for (const { id, expect: expected } of routes) {
      const { source, condition, sink, error } = byId.get(id)!;
      // The cases are grammatical: `temp >= 200` is a route, though its condition does not compile.
      check(id, expected.error === undefined || (error?.code === 'ROUTE_SYNTAX' && source === null));
      if (expected.error === undefined) expect({ source, condition, sink }).toEqual(expected);
    }
    for (const { id, expect: expected } of sources) check(id, byId.get(id)!.result === expected);
    for (const { id, expect: expected } of sinks) {
      check(id, (byId.get(id)!.error === undefined) === (expected.error === undefined));
    }
    expect(wrong).toEqual([]);
  });
});

test('a broken line has an error, and the rest goes on', async () => {
  const answers = await batch([
    'nonsense',
    { id: 'none' },
    { id: 'both', route: 'FROM /* INTO $upstream', condition: 'true' },
    { id: 7, route: 5 },
    [1],
    '',
    { id: 'number', condition: 'true', message: { properties: { temp: 5 } } },
    { id: 'kind', condition: 'true', message: { kind: 'c2d' } },
    { id: 'good', condition: "temp = '5'", message: { properties: { temp: '5' } } },
  ]);
  expect(answers.map(({ id, result, error }) => [id, result, error?.message.split(':')[0]])).toEqual([
    [null, null, 'line 1'],
    ['none', null, 'line 2'],
    ['both', null, 'line 3'],
    [7, null, 'line 4'],
    [null, null, 'line 5'],
    ['number', null, 'line 7'],
    ['kind', null, 'line 8'],
    ['good', true, undefined],
  ]);
});

test('a message that says where it comes from is matched with FROM too', async () => {
  const route = "FROM /messages/modules/a/outputs/* WHERE $connectionModuleId = 'a' INTO $upstream";
  const answers = await batch([
    { id: 'output', route, message: { deviceId: 'd', moduleId: 'a', output: 'o' } },
    { id: 'no output', route, message: { deviceId: 'd', moduleId: 'a' } },
    { id: 'other', route, message: { moduleId: 'b', output: 'o', systemProperties: { connectionModuleId: 'a' } } },
    {
      id: 'twin',
      route: 'FROM /twinChangeNotifications INTO $upstream',
      message: { kind: 'reportedPropertiesUpdate' },
    },
    { id: 'unplaced', route, message: { systemProperties: { connectionModuleId: 'a' } } },
    { id: 'unknown', route, message: {} },
  ]);
  expect(answers.map(({ id, result }) => [id, result])).toEqual([
    ['output', true],
    ['no output', false],
    ['other', false],
    ['twin', true],
    ['unplaced', true],
    ['unknown', 'undefined'],
  ]);
});

test('one route, one message from a file, and the status', async () => {
  const file = path.join(folder, 'message.json');
  const body = JSON.stringify({ n: 3 });
  const systemProperties = { contentType: 'application/json', contentEncoding: 'utf-8' };
  await writeFile(file, JSON.stringify({ properties: {}, systemProperties, body }));
  const good = await vantage([
    'route',
    'test',
    '--route',
    'FROM /* WHERE $body.n > 2 INTO $upstream',
    '--message',
    file,
  ]);
  expect(JSON.parse(good.out)).toEqual({
    id: null,
    source: '/',
    condition: '$body.n > 2',
    sink: { type: 'system', name: '$upstream' },
    result: true,
  });
  expect(good.status).toBe(0);
  const bad = await vantage(['route', 'test', '--route', 'FROM /* WHERE n > 2 INTO $upstream']);
  expect(JSON.parse(bad.out)).toMatchObject({ result: null, error: { column: 17, code: 'CONDITION_TYPE' } });
  expect(bad.status).toBe(1);
});

test('the routes of a deployment, and what is no deployment', async () => {
  const file = path.join(folder, 'deployment.json');
  const routes = { good: 'FROM /* INTO $upstream', bad: { route: 'FROM /* WHERE a = 1 INTO $upstream', priority: 1 } };
  const hub = { 'properties.desired': { routes }, 'properties.desired.routes.layered': 'FROM' };
  await writeFile(file, JSON.stringify({ content: { modulesContent: { $edgeHub: hub } } }));
  const { status, out } = await vantage(['route', 'test', '--manifest', file]);
  const found = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RouteTestResult);
  expect(found.map(({ id, error }) => [id, error?.column])).toEqual([
    ['good', undefined],
    ['bad', 17],
    ['layered', 5],
  ]);
  expect(status).toBe(1);

  await writeFile(file, '{}');
  const none = await vantage(['route', 'test', '--manifest', file]);
  expect([none.status, none.err]).toEqual([1, `vantage: ${file} has no modulesContent (ROUTE_TEST_INVALID)\n`]);
  const missing = await vantage(['route', 'test', '--batch', path.join(folder, 'missing')]);
  expect(missing.err).toContain('missing does not exist (ROUTE_TEST_INVALID)');
});

test('vantage up refuses a deployment with a condition that can never match', async () => {
  const file = path.join(folder, 'up.json');
  const desired = { schemaVersion: '1.1', routes: { r: 'FROM /* WHERE temp > 50 INTO $upstream' } };
  await writeFile(
    file,
    JSON.stringify({
      modulesContent: {
        $edgeAgent: { 'properties.desired': { schemaVersion: '1.1', modules: {}, systemModules: {} } },
        $edgeHub: { 'properties.desired': desired },
      },
    }),
  );
  const { status, err } = await vantage(['up', '--deployment', file, '--state', path.join(folder, 'state'), '--json']);
  expect(status).toBe(1);
  expect(err).toContain(`route "r": '>' cannot take a string and a number (column 20) (DEPLOYMENT_INVALID)`);
});
