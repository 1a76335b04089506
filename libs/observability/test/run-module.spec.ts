import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const fixture = fileURLToPath(new URL('./fixtures/module.ts', import.meta.url));

async function run(
  behaviour: string,
  act?: (child: ReturnType<typeof spawn>, output: string) => void,
  env: NodeJS.ProcessEnv = {},
) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fixture, behaviour], {
    env: { ...process.env, VANTAGE_METRICS_PORT: '0', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let acted = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (acted || !/\] (up|starting slowly)/.test(output)) return;
    acted = true;
    act?.(child, output);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('runModule', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s stops it cleanly', async (signal) => {
    const { code, output } = await run('idle', (child) => child.kill(signal));
    expect(output).toContain(`module stops: ${signal}`);
    expect(output).toContain('stopped cleanly');
    expect(code).toBe(0);
  });

  test('a failed start is logged with its code and without the secret, status 1', async () => {
    const { code, output } = await run('fail');
    expect(code).toBe(1);
    expect(output).toMatch(/^<2> .*module failed: rtsp:\/\/\*\*\*@h does not answer \{"code":"FIXTURE_BROKEN"/m);
    expect(output).not.toContain('topsecret');
  });

  test.each([
    [{ FIXTURE_LOG_LEVEL: 'ERROR' }, /^(?!.*module starts)/s],
    [{ FIXTURE_LOG_LEVEL: 'error', VANTAGE_LOG_LEVEL: 'info' }, /module starts/],
    [{ FIXTURE_LOG_LEVEL: 'loudly-please' }, /logLevel "loudly-ple" is unknown; supported: trace.*module starts/s],
    [{ FIXTURE_LOG_LEVEL: '' }, /^(?!.*is unknown).*module starts/s],
  ])('%j decides what is logged from the first line on', async (env, expected) => {
    expect((await run('done', undefined, env)).output).toMatch(expected);
  });

  test('a stop that hangs is cut, status 1', async () => {
    const { code, output } = await run('hang', (child) => child.kill('SIGTERM'));
    expect(code).toBe(1);
    expect(output).toContain('did not stop within 300 ms');
  });

  test('SIGTERM reaches a module that is still starting', async () => {
    const { code, output } = await run('slow-start', (child) => child.kill('SIGTERM'));
    expect(code).toBe(0);
    expect(output).toContain('stopped cleanly');
  });

  test.each(['throw-later', 'reject-later'])('%s: logged, stopped, status 1', async (behaviour) => {
    const { code, output } = await run(behaviour);
    expect(code).toBe(1);
    expect(output).toMatch(/^<2> .*(thrown|rejected) later/m);
    expect(output).toContain('stopped cleanly');
  });

  test('a module may end by itself', async () => {
    expect(await run('done')).toMatchObject({ code: 0, output: expect.stringContaining('module stops: done') });
  });

  test('ends with its parent when asked to', async () => {
    const { code, output } = await run('idle', (child) => child.stdin!.end(), { VANTAGE_PARENT_STDIN: '1' });
    expect(output).toContain('parent is gone');
    expect(code).toBe(0);
  });

  test('serves metrics on a free port', async () => {
    let text = '';
    const { code } = await run('idle', (child, output) => {
      const port = /"metricsPort":(\d+)/.exec(output)![1]!;
      void fetch(`http://127.0.0.1:${port}/metrics`)
        .then(async (response) => (text = await response.text()))
        .finally(() => child.kill('SIGTERM'));
    });
    expect(code).toBe(0);
    expect(text).toContain('process_cpu_seconds_total');
  });
});
