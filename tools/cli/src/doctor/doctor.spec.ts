import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Diagnosis } from './examine.ts';
import { ask } from './finding.ts';
import { renderDiagnosis } from './render.ts';

const main = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../main.ts');

function doctor(env: NodeJS.ProcessEnv, ...args: string[]): Promise<{ code: number; stdout: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, 'doctor', ...args],
      { env: { ...process.env, NO_COLOR: '1', ...env } },
      (error, stdout) => resolve({ code: error ? Number(error.code) : 0, stdout }),
    );
  });
}

test('this machine: everything that pipelines need, and a remedy for all that is not there', async () => {
  const { code, stdout } = await doctor({}, '--json');
  const diagnosis = JSON.parse(stdout) as Diagnosis;
  expect(code).toBe(diagnosis.canRun ? 0 : 1);
  expect(diagnosis.canRun).toBe(true);
  const byId = new Map(diagnosis.findings.map((finding) => [finding.id, finding]));
  expect(byId.get('inference.cpu')?.state).toBe('good');
  expect(byId.get('node')?.found).toContain(process.version);
  for (const id of ['processor', 'memory', 'shared-memory', 'gpu', 'disk', 'ffmpeg', 'decoding', 'docker']) {
    expect(byId.has(id)).toBe(true);
  }
  for (const { state, remedy } of diagnosis.findings) expect(state === 'good' || (remedy ?? '').length > 5).toBe(true);
  expect(diagnosis.summary).toMatch(/^The (cpu|dgpu|jetson) image fits this machine/);
});

test('without ffmpeg nothing runs, and that is said', async () => {
  const env = {
    FFMPEG_PATH: '/nowhere/ffmpeg',
    DOCKER_HOST: 'tcp://127.0.0.1:1',
    VANTAGE_SIDECAR_PYTHON: '/nowhere/py',
  };
  const { code, stdout } = await doctor(env);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^!! {2}ffmpeg .*FFMPEG_PATH names \/nowhere\/ffmpeg.*\n +-> apt-get install ffmpeg/m);
  expect(stdout).toMatch(/^-- {2}docker .*no container engine answers/m);
  expect(stdout).toMatch(/^-- {2}inference\.sidecar .*\/nowhere\/py: .*ENOENT/m);
});

test('a program that is not there, that fails, that hangs', async () => {
  expect(await ask('/nowhere/program', [])).toEqual({ ok: false, stdout: '', reason: 'there is no such program' });
  const failing = 'process.stderr.write("a\\nError: rtsp://u:p@host failed\\nb\\n"); process.exit(3)';
  expect(await ask(process.execPath, ['-e', failing])).toMatchObject({ reason: 'Error: rtsp://***@host failed' });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const hanging = `require('node:net').connect(${port}, '127.0.0.1')`;
  expect(await ask(process.execPath, ['-e', hanging], 500)).toMatchObject({ reason: 'it did not answer within 0.5 s' });
  server.close();
});

test('what a driver says does not steer the terminal', () => {
  const finding = { id: 'gpu', state: 'limited', found: 'a\u001b[2Jb\nc', remedy: 'do' } as const;
  const text = renderDiagnosis({ variant: 'cpu', summary: 'x', canRun: true, findings: [finding] });
  expect(text).toContain('a [2Jb c');
});
